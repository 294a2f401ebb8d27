"""``nacre completion``: scripts that let a shell complete commands, flags and image names."""

from __future__ import annotations

from nacre.cli.flags import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given

FLAGS = ()
MORE = """\
To load it in every new shell:
  bash   echo 'eval "$(nacre completion bash)"' >> ~/.bashrc
  zsh    echo 'eval "$(nacre completion zsh)"' >> ~/.zshrc
  fish   nacre completion fish > ~/.config/fish/completions/nacre.fish
"""

# Bash breaks words at colons and equals signs too: pieces that no blank separates are put together
# again, and of what is found only the part after the last break is handed back.
_BASH = """\
# nacre completion for bash
_nacre() {
    local -a words=()
    local index piece current rest="${COMP_LINE:0:COMP_POINT}"
    for ((index = 0; index <= COMP_CWORD; index++)); do
        piece="${COMP_WORDS[index]}"
        if [[ $index -eq 0 || $rest == [[:space:]]* ]]; then
            words+=("")
            rest="${rest#"${rest%%[![:space:]]*}"}"
        fi
        [[ $index -lt $COMP_CWORD ]] || piece="$rest"
        words[${#words[@]}-1]+="$piece"
        rest="${rest#"$piece"}"
    done
    current="${words[${#words[@]}-1]}"
    mapfile -t COMPREPLY < <("$1" __complete "${words[@]:1}" 2>/dev/null)
    COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*["$COMP_WORDBREAKS"]}"}"}")
}
complete -o default -F _nacre nacre
"""

_ZSH = """\
#compdef nacre
_nacre() {
    local -a found
    found=(${(f)"$(${(Q)words[1]} __complete "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)"})
    (( $#found )) && compadd -a found || _files
}
if [[ $funcstack[1] == _nacre ]]; then
    _nacre
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _nacre nacre
fi
"""  # noqa: E501

_FISH = """\
# nacre completion for fish
function __nacre_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    if set -q found[1]
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c nacre -f -a "(__nacre_complete)"
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def run(given: Given, console: Console) -> int:
    """Print the script of a shell."""
    shell = given.words[0]
    if shell not in _SCRIPTS:
        raise UsageError(f"unknown shell: {shell}", remedy=f"known are {', '.join(_SCRIPTS)}")
    console.write(_SCRIPTS[shell])
    return 0
