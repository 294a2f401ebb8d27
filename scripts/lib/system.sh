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
    DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Dpkg::Use-Pty=0 install -y \
        --no-install-recommends "${missing[@]}" >/dev/null
    stop_packaged_registry "${missing[@]}"
}

# stop_packaged_registry PACKAGE...: Debian starts docker-registry as a service when it is
# installed; nothing here wants that one, each test and demo starts its own on a free port.
stop_packaged_registry() {
    [[ " $* " == *" docker-registry "* ]] && [ -d /run/systemd/system ] || return 0
    say "switching off the docker-registry service that its package has just started"
    systemctl disable --now --quiet docker-registry.service
}
