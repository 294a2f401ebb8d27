# A foreign registry for the demo: Debian's docker-registry on a free loopback port, with a
# password, keeping everything under one folder. Needs common.sh.
# shellcheck shell=bash

REGISTRY_PID=""
REGISTRY_PORT=""

# start_registry FOLDER USER PASSWORD: sets REGISTRY_PID and REGISTRY_PORT when it listens.
start_registry() {
    local folder="$1" tries=0
    mkdir -p "$folder/data"
    htpasswd -iBn "$2" <<<"$3" >"$folder/htpasswd"
    cat >"$folder/config.yml" <<EOF
version: 0.1
log: {level: info}
storage: {filesystem: {rootdirectory: $folder/data}, delete: {enabled: true}}
http: {addr: "127.0.0.1:0"}
auth: {htpasswd: {realm: demo, path: $folder/htpasswd}}
EOF
    docker-registry serve "$folder/config.yml" \
        >"$folder/access.log" 2>"$folder/server.log" &
    REGISTRY_PID=$!
    until REGISTRY_PORT="$(grep -oE 'listening on 127\.0\.0\.1:[0-9]+' "$folder/server.log" |
        grep -oE '[0-9]+$')"; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$REGISTRY_PID" 2>/dev/null; then
            cat "$folder/server.log" >&2
            fail "docker-registry did not start (its messages are above)"
        fi
        sleep 0.1
    done
}

# stop_registry: ends the one that was started, and no other.
stop_registry() {
    [ -n "$REGISTRY_PID" ] || return 0
    kill "$REGISTRY_PID" 2>/dev/null || true
    wait "$REGISTRY_PID" 2>/dev/null || true
    REGISTRY_PID=""
}

# requests FOLDER METHOD PATTERN: how many such requests the registry has answered so far.
requests() {
    grep -cE "\"$2 [^ ]*$3" "$1/access.log" || true
}
