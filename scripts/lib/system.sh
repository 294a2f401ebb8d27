# Debian and Ubuntu packages: install what is missing as root, name what is missing otherwise.
# shellcheck shell=bash

APT_LISTS_ARE_FRESH=no

# missing_packages PACKAGE...: those of them that are not installed, one a line.
missing_packages() {
    local package
    for package in "$@"; do
        if ! dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null |
            grep -qx installed; then
            printf '%s\n' "$package"
        fi
    done
}

# refresh_package_lists: apt-get update, at most once in a command.
refresh_package_lists() {
    [ "$APT_LISTS_ARE_FRESH" = no ] || return 0
    say "updating the package lists (apt-get update)"
    apt-get -q=2 update
    APT_LISTS_ARE_FRESH=yes
}

# quietly COMMAND ARG...: run it; what it printed is shown only when it fails.
quietly() {
    local log status=0
    log="$(mktemp)"
    "$@" >"$log" 2>&1 || status=$?
    [ "$status" -eq 0 ] || cat "$log" >&2
    rm -f "$log"
    return "$status"
}

# ensure_system_packages PACKAGE...: afterwards all of them are installed, or the command has
# ended with a sentence that says what to install. Quick when there is nothing to do.
ensure_system_packages() {
    command -v apt-get >/dev/null ||
        fail "this set-up knows Debian and Ubuntu only; install yourself: $*"
    local -a missing
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    is_root || fail "missing system packages: ${missing[*]}" \
        "(as root: apt-get install --no-install-recommends ${missing[*]})"
    refresh_package_lists
    say "installing system packages: ${missing[*]}"
    quietly env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Dpkg::Use-Pty=0 install -y \
        --no-install-recommends "${missing[@]}"
    stop_packaged_services "${missing[@]}"
}

# stop_packaged_services PACKAGE...: Debian starts servers as services when they are installed;
# nothing here wants those, each test and demo starts its own.
stop_packaged_services() {
    [ -d /run/systemd/system ] || return 0
    local package
    for package in "$@"; do
        case "$package" in
            docker-registry) stop_services docker-registry.service ;;
            docker.io) stop_services docker.socket docker.service containerd.service ;;
        esac
    done
}

# stop_services UNIT...: now, and at the next start of the machine.
stop_services() {
    say "switching off what a package has just started: $*"
    systemctl disable --now --quiet "$@"
}
