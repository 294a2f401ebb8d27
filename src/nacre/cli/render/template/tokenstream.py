"""The tokens of a template, one after the other, with a way back and with complaints."""

from __future__ import annotations

from typing import NoReturn

from nacre.cli.render.template.errors import TemplateSyntaxError
from nacre.cli.render.template.lexer import Token, line_of, tokens


class TokenStream:
    """The tokens of a source from the first; all that were read are kept, to go back to."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokens(source)
        self._seen: list[Token] = []
        self._index = 0

    def next(self) -> Token:
        """Return the next token, be it a space."""
        if self._index == len(self._seen):
            self._seen.append(next(self._tokens))
        self._index += 1
        return self._seen[self._index - 1]

    def next_word(self) -> Token:
        """Return the next token that is not a space."""
        token = self.next()
        return self.next() if token.kind == "space" else token

    def back(self) -> None:
        """Let the last token be the next one again."""
        self._index -= 1

    def mark(self) -> int:
        """Return what `reset` takes to go back to here."""
        return self._index

    def reset(self, mark: int) -> None:
        """Go back to where `mark` was called."""
        self._index = mark

    def expect_right(self, context: str) -> None:
        """Read the end of an action.

        Raises:
            TemplateSyntaxError: something else comes.
        """
        token = self.next_word()
        if token.kind != "right":
            self.unexpected(token, context)

    def unexpected(self, token: Token, context: str) -> NoReturn:
        """Refuse a token."""
        self.fail(f"unexpected {token} in {context}")

    def fail(self, problem: str) -> NoReturn:
        """Refuse what is in the line of the last token."""
        position = self._seen[self._index - 1].position if self._seen else 0
        raise TemplateSyntaxError(line_of(self._source, position), problem)
