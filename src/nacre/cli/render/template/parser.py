"""Tokens -> statements, after Go's text/template/parse, with its error messages."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

from nacre.cli.render.template import literals
from nacre.cli.render.template.errors import TemplateSyntaxError
from nacre.cli.render.template.lexer import Token, line_of, tokens
from nacre.cli.render.template.nodes import (
    Branch,
    Command,
    Function,
    Literal,
    Operand,
    Path,
    Pipeline,
    Statement,
)
from nacre.cli.render.template.values import quote

_OPERANDS = frozenset(
    {"string", "raw", "character", "number", "variable", "field", "dot", "word", "open"}
)
_CLAUSES = frozenset({"if", "with", "range"})


def parse(source: str, functions: Collection[str]) -> tuple[Statement, ...]:
    """Return the statements of a template that may call ``functions`` by name.

    Raises:
        TemplateSyntaxError: the text is no template.
    """
    try:
        return tuple(_Parser(source, functions).template())
    except RecursionError:
        raise TemplateSyntaxError(1, "nested too deep") from None


class _Parser:
    """A recursive-descent parser over a buffer of the tokens seen so far."""

    def __init__(self, source: str, functions: Collection[str]) -> None:
        self._source = source
        self._functions = functions
        self._tokens = tokens(source)
        self._seen: list[Token] = []
        self._index = 0
        self._variables = ["$"]

    def template(self) -> list[Statement]:
        body, closing = self._body()
        if closing.kind != "end of file":
            self._fail(f"unexpected {{{{{closing.text}}}}}")
        return body

    # --- statements

    def _body(self) -> tuple[list[Statement], Token]:
        """Parse statements up to ``end``, ``else`` or the end of the text; return that token."""
        body: list[Statement] = []
        while True:
            token = self._next()
            if token.kind == "text":
                body.append(token.text)
                continue
            if token.kind == "end of file":
                return body, token
            word = self._next_word()
            if word.kind == "keyword" and word.text in {"end", "else"}:
                if word.text == "end":
                    self._expect_right("end")
                return body, word
            if word.kind == "keyword" and word.text in _CLAUSES:
                body.append(self._branch(word.text))
                continue
            self._index -= 1
            body.append(self._pipeline("command"))
            self._next()

    def _branch(self, keyword: str) -> Branch:
        outer = len(self._variables)
        pipeline = self._pipeline(keyword)
        self._next()
        body, closing = self._body()
        otherwise: list[Statement] = []
        if closing.kind == "end of file":
            self._fail("unexpected EOF")
        if closing.text == "else":
            otherwise = self._else(keyword)
        del self._variables[outer:]
        return Branch(keyword, pipeline, tuple(body), tuple(otherwise))

    def _else(self, keyword: str) -> list[Statement]:
        # "else if" and "else with" stand for an else whose only statement is that branch; the
        # one "end" closes both.
        following = self._next_word()
        if following.kind == "keyword" and following.text == keyword != "range":
            return [self._branch(keyword)]
        self._index -= 1
        self._expect_right("else")
        body, closing = self._body()
        if closing.kind == "end of file":
            self._fail("unexpected EOF")
        if closing.text != "end":
            self._fail(f"expected end; found {{{{{closing.text}}}}}")
        return body

    # --- pipelines

    def _pipeline(self, context: str) -> Pipeline:
        """Parse up to the closing delimiter or parenthesis, which stays unread."""
        position = self._next_word().position
        self._index -= 1
        variables, assigns = self._declarations(context)
        commands: list[Command] = []
        while (token := self._next_word()).kind not in {"right", "close"}:
            if token.kind not in _OPERANDS:
                self._unexpected(token, context)
            self._index -= 1
            commands.append(self._command())
        self._index -= 1
        if not commands:
            self._fail(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], Literal) or str(command.operands[0]) == ".":
                self._fail(f"non executable command in pipeline stage {stage}")
        self._variables.extend(() if assigns else variables)
        return Pipeline(tuple(variables), assigns, tuple(commands), position)

    def _declarations(self, context: str) -> tuple[list[str], bool]:
        """Parse ``$x :=``, ``$x =`` or, in a range, ``$i, $e :=``; leave anything else unread."""
        variables: list[str] = []
        start = self._index
        while (token := self._next_word()).kind == "variable":
            variables.append(token.text)
            after = self._next_word()
            if after.kind in {"declare", "assign"}:
                return variables, after.kind == "assign"
            if after.text != ",":
                break
            if context != "range" or len(variables) == 2:
                self._fail(f"too many declarations in {context}")
            if self._next_word().kind not in {"variable", "right", "close"}:
                self._fail("range can only initialize variables")
            self._index -= 1
        self._index = start
        return [], False

    def _command(self) -> Command:
        """Parse operands up to a pipe, which is read, or to the end of the pipeline."""
        operands = [self._operand(self._next_word())]
        while (token := self._next()).kind == "space":
            following = self._next_word()
            self._index -= 1
            if following.kind in _OPERANDS:
                operands.append(self._operand(self._next()))
        if token.kind in {"right", "close"}:
            self._index -= 1
        elif token.kind != "pipe":
            self._unexpected(token, "operand")
        return Command(tuple(operands), operands[0].position)

    # --- operands

    def _operand(self, token: Token) -> Operand:
        term = self._term(token)
        names: list[str] = []
        position = term.position
        while (token := self._next()).kind == "field":
            position = position if names else token.position
            names.append(token.text[1:])
        self._index -= 1
        if not names:
            return term
        if isinstance(term, Literal) or str(term) == ".":
            self._fail(f"unexpected . after term {quote(str(term))}")
        if isinstance(term, Path):
            return Path(term.root, (*term.fields, *names), position)
        # Fields of a function without arguments: the function is a pipeline of its own.
        call = Pipeline((), False, (Command((term,), term.position),), term.position)
        return Path(call, tuple(names), position)

    def _term(self, token: Token) -> Operand:
        text, position = token.text, token.position
        match token.kind:
            case "string" | "raw" | "character" | "number":
                return Literal(self._constant(token), text, position)
            case "dot":
                return Path(".", (), position)
            case "field":
                return Path(".", (text[1:],), position)
            case "variable":
                if text not in self._variables:
                    self._fail(f"undefined variable {quote(text)}")
                return Path(text, (), position)
            case "open":
                return self._parenthesis()
            case _:
                return self._word(token)

    def _parenthesis(self) -> Path:
        pipeline = self._pipeline("parenthesized pipeline")
        closing = self._next()
        if closing.kind != "close":
            self._fail(f"unclosed right paren: unexpected {closing}")
        return Path(pipeline, (), pipeline.position)

    def _word(self, token: Token) -> Literal | Function:
        constants = {"true": True, "false": False, "nil": None}
        if token.text in constants:
            return Literal(constants[token.text], token.text, token.position)
        if token.text not in self._functions:
            self._fail(f"function {quote(token.text)} not defined")
        return Function(token.text, token.position)

    def _constant(self, token: Token) -> str | float:
        try:
            match token.kind:
                case "number":
                    return literals.number(token.text)
                case "character":
                    return literals.character(token.text)
                case _:
                    return literals.string(token.text)
        except ValueError as error:
            self._fail(str(error))

    # --- tokens

    def _next(self) -> Token:
        if self._index == len(self._seen):
            self._seen.append(next(self._tokens))
        self._index += 1
        return self._seen[self._index - 1]

    def _next_word(self) -> Token:
        """Return the next token that is not a space."""
        token = self._next()
        return self._next() if token.kind == "space" else token

    def _expect_right(self, context: str) -> None:
        token = self._next_word()
        if token.kind != "right":
            self._unexpected(token, context)

    def _unexpected(self, token: Token, context: str) -> NoReturn:
        self._fail(f"unexpected {token} in {context}")

    def _fail(self, problem: str) -> NoReturn:
        position = self._seen[self._index - 1].position if self._seen else 0
        raise TemplateSyntaxError(line_of(self._source, position), problem)
