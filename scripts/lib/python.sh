# The project's virtual environment: pinned, hashed packages and nacre itself, editable.
# Needs common.sh and system.sh.
# shellcheck shell=bash

# python_is_new_enough PYTHON: at least 3.11, and able to make a virtual environment.
python_is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

python_makes_venvs() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null
}

# find_python TEST: print the first Python that passes TEST; the machine's own choice goes first.
find_python() {
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && "$1" "$name" && python_is_new_enough "$name"; then
            "$name" -c 'import sys; print(sys.executable)'
            return 0
        fi
    done
    return 1
}

# python_packages: the system packages that a machine without such a Python needs, one a line.
python_packages() {
    find_python python_makes_venvs >/dev/null || printf '%s\n' python3 python3-venv
}

# choose_python: print a Python that can make virtual environments, installing the
# distribution's (as root) when the machine has none.
choose_python() {
    local -a missing
    mapfile -t missing < <(python_packages)
    ensure_system_packages "${missing[@]}" >&2
    find_python python_makes_venvs ||
        fail "no Python 3.11 or newer that can make virtual environments; install one"
}

# venv_stamp: what the virtual environment depends on, as one hash. The place is part of it
# because the commands in .venv/bin carry it in their first line.
venv_stamp() {
    { cat "$PROJECT/requirements/dev.txt" "$PROJECT/pyproject.toml" && printf '%s' "$VENV"; } |
        sha256sum | cut -d' ' -f1
}

venv_is_ready() {
    [ -x "$VENV/bin/python" ] && "$VENV/bin/python" -c '' 2>/dev/null &&
        [ "$(cat "$VENV/nacre-stamp" 2>/dev/null)" = "$(venv_stamp)" ]
}

make_venv() {
    ! venv_is_ready || return 0
    local python
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        python="$(choose_python)"
        say "making a virtual environment in .venv with $("$python" --version)"
        "$python" -m venv --clear "$VENV"
    fi
    say "installing the pinned Python packages (requirements/dev.txt)"
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check \
        --require-hashes -r "$PROJECT/requirements/dev.txt"
    say "installing nacre itself, editable"
    "$VENV/bin/python" -m pip install -qq --disable-pip-version-check \
        --no-deps --no-build-isolation --editable "$PROJECT"
    venv_stamp >"$VENV/nacre-stamp"
}

# ensure_venv: afterwards $VENV/bin has nacre, pytest, ruff and mypy. Remade only when the
# pinned packages, pyproject.toml or the project's place changed.
ensure_venv() {
    only_one "$PROJECT/.cache/venv.lock" make_venv
}
