# A transcript that checks itself: show a command, run it, keep what it said, expect things of it.
# Needs common.sh.
# shellcheck shell=bash

SAID="" # what the last shown command printed, both streams

# chapter TEXT: a heading in the transcript.
chapter() {
    printf '\n## %s\n' "$*"
}

# show COMMAND ARG...: print the command as one would type it, run it, fail loudly if it fails.
show() {
    show_as "$(typed "$@")" "$@"
}

# show_as TEXT COMMAND ARG...: the same for a command that is typed differently (a pipe, a redirect).
show_as() {
    local status=0
    printf '\n$ %s\n' "$1"
    shift
    SAID="$("$@" 2>&1)" || status=$?
    [ -z "$SAID" ] || printf '%s\n' "$SAID"
    [ "$status" -eq 0 ] || fail "that command failed with exit code $status"
}

# show_refusal COMMAND ARG...: the same for a command that must fail.
show_refusal() {
    printf '\n$ %s\n' "$(typed "$@")"
    ! SAID="$("$@" 2>&1)" || fail "that command should have failed"
    printf '%s\n' "$SAID"
}

# typed COMMAND ARG...: the command line, quoted only where a shell needs it.
typed() {
    local word line=""
    for word in "$@"; do
        [[ "$word" =~ ^[A-Za-z0-9_./:@=+,-]+$ ]] || word="'${word//\'/\'\\\'\'}'"
        line+="${line:+ }$word"
    done
    printf '%s' "$line"
}

# expect PATTERN WHAT: the last command said something that matches (grep -E); WHAT it shows.
expect() {
    grep -Eq -- "$1" <<<"$SAID" || fail "expected to see $2 (no line matches: $1)"
}

# expect_no PATTERN WHAT: nothing that it said matches.
expect_no() {
    ! grep -Eq -- "$1" <<<"$SAID" || fail "did not expect to see $2 (a line matches: $1)"
}

# expect_equal ONE OTHER WHAT: two texts are the same.
expect_equal() {
    [ "$1" = "$2" ] || fail "$3: '$1' is not '$2'"
}
