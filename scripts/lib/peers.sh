# The other people's tools that the tests and the demo talk to, as Debian and Ubuntu name them.
# Needs common.sh, system.sh and python.sh.
# shellcheck shell=bash

# What scripts/demo needs: a root file system maker, a foreign registry, a second reader.
DEMO_PACKAGES=(
    apache2-utils # htpasswd
    ca-certificates
    docker-registry
    mmdebstrap
    mount # mmdebstrap calls it; not in every minimal system
    openssl
    podman
    skopeo
    uidmap # an ordinary user's podman and mmdebstrap work in a user namespace
)

# What the compat and integration tests need besides.
TEST_PACKAGES=(
    "${DEMO_PACKAGES[@]}"
    buildah
    bzip2
    crun
    erofs-utils
    fish
    fuse-overlayfs
    golang-github-containers-common # policy.json and registries.conf of the next three
    iproute2
    umoci
    zsh
)

# ensure_demo_peers: all that the demo needs, Python included: what is missing is said at once.
ensure_demo_peers() {
    local -a python
    mapfile -t python < <(python_packages)
    ensure_system_packages "${DEMO_PACKAGES[@]}" "${python[@]}"
}

# ensure_test_peers: all that the compat and integration tests need, and Python. Docker may have
# come from elsewhere and stays then; its engine runs as root only, as do the tests that need it.
ensure_test_peers() {
    local -a python
    mapfile -t python < <(python_packages)
    ensure_system_packages "${TEST_PACKAGES[@]}" "${python[@]}"
    is_root || return 0
    command -v dockerd >/dev/null || ensure_system_packages docker.io
    command -v docker >/dev/null || ensure_system_packages docker-cli # apart since Debian 13
}

# peer_versions: one line a peer, for the record of a full test run.
peer_versions() {
    dpkg-query -W -f='${Package} ${Version}\n' "${TEST_PACKAGES[@]}"
    if is_root; then
        dockerd --version
        docker --version
    fi
}
