"""Template text -> tokens, after Go's text/template/parse: the text between actions, and actions.

An action is what stands between ``{{`` and ``}}``. ``{{-`` and ``-}}`` trim the text beside them.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import NamedTuple

from nacre.cli.render.template.errors import TemplateSyntaxError
from nacre.cli.render.template.values import quote

_SPACES = " \t\r\n"
_TERMINATORS = frozenset(_SPACES + ".,|:)(")
_KEYWORDS = frozenset(
    {"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"}
)

_TOKEN = re.compile(
    r"""
      (?P<right> (?:[ \t\r\n]-)? \}\} )
    | (?P<space> (?: (?! [ \t\r\n]-\}\} ) [ \t\r\n] )+ )
    | (?P<string> " (?: \\[^\n] | [^"\\\n] )* " )
    | (?P<raw> ` [^`]* ` )
    | (?P<character> ' (?: \\[^\n] | [^'\\\n] )* ' )
    | (?P<variable> \$\w* )
    | (?P<field> \.[^\W0-9]\w* )
    | (?P<number> (?= [-+0-9.] ) (?! \.[^0-9] ) [-+]?
        (?: 0[xX][0-9a-fA-F_]* | 0[oO][0-7_]* | 0[bB][01_]* | [0-9_]* )
        (?: \.[0-9_]* )? (?: [eE][-+]?[0-9_]* )? )
    | (?P<dot> \. )
    | (?P<word> \w+ )
    | (?P<declare> := )
    | (?P<assign> = )
    | (?P<pipe> \| )
    | (?P<open> \( )
    | (?P<close> \) )
    | (?P<other> (?! ["`':] ) [!-~] )
    """,
    re.VERBOSE,
)
_UNTERMINATED = {
    '"': "unterminated quoted string",
    "`": "unterminated raw quoted string",
    "'": "unterminated character constant",
    ":": "expected :=",
}


class Token(NamedTuple):
    """A piece of a template: what it is, its text, and where it starts in the template."""

    kind: str
    text: str
    position: int

    def __str__(self) -> str:
        """Return the token as Go's error messages show it."""
        if self.kind == "end of file":
            return "EOF"
        if self.kind in {"dot", "keyword"}:
            return f"<{self.text}>"
        if len(self.text) > 10:
            return f"{quote(self.text[:10])}..."
        return quote(self.text)


def tokens(source: str) -> Iterator[Token]:
    """Yield the tokens of a template, ending with one of kind "end of file".

    Raises:
        TemplateSyntaxError: there is no token at some place, or an action is not closed.
    """
    position, trim = 0, False
    while True:
        opening = source.find("{{", position)
        end = len(source) if opening < 0 else opening
        text, start = source[position:end], position
        if trim:
            text = text.lstrip(_SPACES)
            start = end - len(text)
        trims_before = source[opening + 2 : opening + 3] == "-" and _is_space(source, opening + 3)
        if opening >= 0 and trims_before:
            text = text.rstrip(_SPACES)
        if text:
            yield Token("text", text, start)
        if opening < 0:
            break
        inside = opening + (4 if trims_before else 2)
        if source.startswith("/*", inside):
            position, trim = _after_comment(source, inside)
        else:
            yield Token("left", "{{", opening)
            position, trim = yield from _action(source, inside)
    yield Token("end of file", "", len(source))


def line_of(source: str, position: int) -> int:
    """Return the number of the line, from 1, that holds a position."""
    return source.count("\n", 0, position) + 1


def _is_space(source: str, position: int) -> bool:
    return source[position : position + 1] in tuple(_SPACES)


def _after_comment(source: str, position: int) -> tuple[int, bool]:
    end = source.find("*/", position + 2)
    if end < 0:
        raise TemplateSyntaxError(line_of(source, position), "unclosed comment")
    closing = _TOKEN.match(source, end + 2)
    if closing is None or closing.lastgroup != "right":
        line = line_of(source, end)
        raise TemplateSyntaxError(line, "comment ends before closing delimiter")
    return closing.end(), closing[0] != "}}"


def _action(source: str, position: int) -> Generator[Token, None, tuple[int, bool]]:
    """Yield the tokens of one action; return where it ends and whether it trims what follows."""
    depth = 0
    while position < len(source):
        match = _TOKEN.match(source, position)
        if match is None:
            raise _no_token(source, position)
        kind = "keyword" if match[0] in _KEYWORDS else str(match.lastgroup)
        token = Token(kind, match[0], position)
        _check_end(source, token, match.end())
        depth += (token.kind == "open") - (token.kind == "close")
        if depth < 0:
            raise TemplateSyntaxError(line_of(source, position), "unexpected right paren")
        if token.kind == "right" and depth:
            raise TemplateSyntaxError(line_of(source, position), "unclosed left paren")
        yield token
        position = match.end()
        if token.kind == "right":
            return position, token.text != "}}"
    raise TemplateSyntaxError(line_of(source, position), "unclosed action")


def _no_token(source: str, position: int) -> TemplateSyntaxError:
    character = source[position]
    problem = _UNTERMINATED.get(character)
    if problem is None:
        problem = f"unrecognized character in action: {_code_point(character)}"
    return TemplateSyntaxError(line_of(source, position), problem)


def _check_end(source: str, token: Token, end: int) -> None:
    """Refuse names and numbers that run into the next token."""
    after = source[end : end + 1]
    line = line_of(source, token.position)
    if token.kind == "number" and (after == "_" or after.isalnum()):
        bad = source[token.position : end + 1]
        raise TemplateSyntaxError(line, f"bad number syntax: {quote(bad)}")
    if token.kind not in {"word", "variable", "field"} or not after or after in _TERMINATORS:
        return
    if not source.startswith("}}", end):
        raise TemplateSyntaxError(line, f"bad character {_code_point(after)}")


def _code_point(character: str) -> str:
    shown = f" '{character}'" if character.isprintable() else ""
    return f"U+{ord(character):04X}{shown}"
