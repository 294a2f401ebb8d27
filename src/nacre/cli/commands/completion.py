"""``nacre completion``: scripts that let a shell complete commands, options and image names."""

from __future__ import annotations

from argparse import SUPPRESS, ArgumentParser, Namespace
from typing import TYPE_CHECKING

from nacre.cli import catalogue

if TYPE_CHECKING:
    from nacre.cli.console import Console

_BASH = """\
# nacre completion for bash: eval "$(nacre completion bash)"
_nacre() {
    local words=("${COMP_WORDS[@]:1:COMP_CWORD-1}") current="${COMP_WORDS[COMP_CWORD]}"
    mapfile -t COMPREPLY < <(
        compgen -W "$(nacre completion complete -- "${words[@]}" "$current" 2>/dev/null)" \\
            -- "$current"
    )
    [[ ${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=()
    __ltrim_colon_completions "$current" 2>/dev/null || true
}
complete -o default -F _nacre nacre
"""

_ZSH = """\
#compdef nacre
# nacre completion for zsh: eval "$(nacre completion zsh)"
_nacre() {
    local -a found
    found=("${(@f)$(nacre completion complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -a found || _files
}
compdef _nacre nacre
"""

_FISH = """\
# nacre completion for fish: nacre completion fish | source
function __nacre_complete
    set -l words (commandline -opc) (commandline -ct)
    nacre completion complete -- $words[2..-1] 2>/dev/null
end
complete -c nacre -f -a "(__nacre_complete)"
complete -c nacre -n "__fish_seen_subcommand_from load import save" -F
"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def configure(parser: ArgumentParser) -> None:
    """Declare arguments and options."""
    parser.add_argument("shell", metavar="SHELL", choices=(*_SCRIPTS, "complete"))
    parser.add_argument("words", nargs="*", help=SUPPRESS)


def run(arguments: Namespace, console: Console) -> int:
    """Print a script, or what may come next on a command line."""
    if arguments.shell in _SCRIPTS:
        console.write(_SCRIPTS[arguments.shell])
    else:
        console.lines(candidates(arguments.words, console))
    return 0


def candidates(words: list[str], console: Console) -> list[str]:
    """Return what the last of ``words`` may become, which may be unfinished or empty."""
    *before, current = words or [""]
    found = catalogue.find(before)
    if found is None:
        return [word for word in _commands_after(before) if word.startswith(current)]
    entry, _ = found
    if current.startswith("-"):
        return [option for option in _options(entry) if option.startswith(current)]
    if "IMAGE" in entry.usage or "NAME" in entry.usage:
        return [name for name in _image_names(console) if name.startswith(current)]
    return []


def _commands_after(before: list[str]) -> list[str]:
    if not before:
        single = {path[0] for path in catalogue.ENTRIES}
        return sorted(single | catalogue.SHORT_FORMS.keys() | catalogue.GROUPS.keys())
    if len(before) == 1:
        return [entry.path[1] for entry in catalogue.group(before[0])]
    return []


def _options(entry: catalogue.Entry) -> list[str]:
    from nacre.cli.parser import Parser

    parser = Parser(" ".join(entry.path), entry.usage, entry.summary)
    entry.load().configure(parser)
    return sorted(parser.option_names())


def _image_names(console: Console) -> list[str]:
    return [tag for image in console.engine.images.list() for tag in image.tags]
