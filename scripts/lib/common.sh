# Shared by every command in scripts/: strict mode, the project's place, and how we speak.
# Source it first; it defines names and changes nothing on the machine.
# shellcheck shell=bash

set -euo pipefail

PROJECT="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)"
VENV="$PROJECT/.venv"
COMMAND="scripts/$(basename "$0")"

# say TEXT...: one line about what happens next.
say() {
    printf '==> %s\n' "$*"
}

# fail TEXT...: one line on standard error, then the end.
fail() {
    printf '%s: %s\n' "$COMMAND" "$*" >&2
    exit 1
}

is_root() {
    [ "$(id -u)" -eq 0 ]
}

# only_one LOCK FUNCTION ARG...: run FUNCTION while holding the lock file LOCK, which is released
# when this process dies, so that two commands started at once do not set up the same thing twice.
only_one() {
    local lock="$1" held
    shift
    mkdir -p "$(dirname "$lock")"
    exec {held}>"$lock"
    flock "$held"
    "$@" {held}>&-
    exec {held}>&-
}
