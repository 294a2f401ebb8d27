# A hub of our own for the demo, on a free loopback port, keeping everything under one folder.
# Needs common.sh and python.sh.
# shellcheck shell=bash

HUB_PID=""
HUB_ADDRESS=""
HUB_PASSWORD=""

# start_hub FOLDER: sets HUB_PID, HUB_ADDRESS and, at its first start, HUB_PASSWORD (of "admin").
start_hub() {
    local folder="$1" tries=0
    mkdir -p "$folder"
    "$VENV/bin/nacre" hub serve --data "$folder/data" --listen 127.0.0.1:0 \
        >"$folder/said" 2>"$folder/log" &
    HUB_PID=$!
    until HUB_ADDRESS="$(grep -oE 'listens on http://[0-9.:]+' "$folder/said" |
        grep -oE '[0-9.]+:[0-9]+$')" && hub_is_ready; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$HUB_PID" 2>/dev/null; then
            cat "$folder/said" "$folder/log" >&2
            fail "the hub did not start (its messages are above)"
        fi
        sleep 0.1
    done
    HUB_PASSWORD="$(grep -oE 'with the password .*' "$folder/said" | cut -d' ' -f4)" || true
}

hub_is_ready() {
    "$VENV/bin/python" - "http://$HUB_ADDRESS/readyz" 2>/dev/null <<'EOF'
import sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
opener.open(sys.argv[1], timeout=5)
EOF
}

# stop_hub: ends the one that was started, and no other.
stop_hub() {
    [ -n "$HUB_PID" ] || return 0
    kill "$HUB_PID" 2>/dev/null || true
    wait "$HUB_PID" 2>/dev/null || true
    HUB_PID=""
}
