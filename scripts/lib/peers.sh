# The other people's tools that the tests and the demo talk to, as Debian and Ubuntu name them.
# Needs common.sh and system.sh.
# shellcheck shell=bash

# What scripts/demo needs: a root file system maker, a foreign registry, a second reader.
DEMO_PACKAGES=(
    apache2-utils # htpasswd
    ca-certificates
    docker-registry
    mmdebstrap
    openssl
    skopeo
)

# What the compat and integration tests need besides.
TEST_PACKAGES=(
    "${DEMO_PACKAGES[@]}"
    buildah
    crun
    fuse-overlayfs
    golang-github-containers-common # policy.json and registries.conf of the next three
    iproute2
    podman
    uidmap
    umoci
)

# peer_versions: one line a peer, for the record of a full test run.
peer_versions() {
    dpkg-query -W -f='${Package} ${Version}\n' "${TEST_PACKAGES[@]}"
}
