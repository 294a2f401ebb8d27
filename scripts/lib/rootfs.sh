# A real root file system, made from this machine's own package sources by mmdebstrap.
# Needs common.sh and system.sh; mmdebstrap must be installed.
# shellcheck shell=bash

ROOTFS_VARIANT=apt # the essential packages and apt: small, and it can install more
ROOTFS_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/nacre-demo"

# own_sources DISTRIBUTION: the files that list this machine's package sources, one a line.
# Those of the distribution itself when apt knows the origin of each, otherwise all of them.
own_sources() {
    local every own
    every="$(apt-get indextargets --format '$(ORIGIN) $(SOURCESENTRY)' 'Identifier: Packages')"
    own="$(grep -i "^$1 " <<<"$every" || true)"
    sed 's/^.* //; s/:[0-9]*$//' <<<"${own:-$every}" | sort -u
}

# make_rootfs SUITE DISTRIBUTION TARGET: build it beside TARGET, then give it its name.
make_rootfs() {
    local suite="$1" distribution="$2" target="$3"
    [ ! -s "$target" ] || return 0
    local -a sources
    mapfile -t sources < <(own_sources "$distribution")
    [ -n "${sources[*]}" ] || fail "apt lists no package sources on this machine"
    say "making a $suite root file system with mmdebstrap (once; kept in $ROOTFS_CACHE)" >&2
    if ! mmdebstrap --quiet --format=tar --variant="$ROOTFS_VARIANT" \
        "$suite" "$target.part" "${sources[@]}" >&2; then
        rm -f "$target.part"
        is_root || printf '%s\n' "As an ordinary user mmdebstrap needs a user namespace:" \
            "the package uidmap, a range for you in /etc/subuid and /etc/subgid, and a machine" \
            "that allows it; a chroot and many containers do not." >&2
        fail "mmdebstrap could not make the root file system (its messages are above)"
    fi
    mv "$target.part" "$target"
}

# debian_rootfs: print the path of the tar of a root file system of this machine's distribution.
debian_rootfs() {
    local suite distribution target
    suite="$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")"
    distribution="$(. /etc/os-release && printf '%s' "$ID")"
    [ -n "$suite" ] || fail "/etc/os-release names no release of Debian or Ubuntu"
    target="$ROOTFS_CACHE/$distribution-$suite-$ROOTFS_VARIANT-$(dpkg --print-architecture).tar"
    only_one "$target.lock" make_rootfs "$suite" "$distribution" "$target"
    printf '%s\n' "$target"
}
