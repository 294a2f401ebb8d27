"""Tokens -> pipelines: the expressions within actions, after Go's text/template/parse."""

from __future__ import annotations

from collections.abc import Collection

from nacre.cli.render.template import literals
from nacre.cli.render.template.lexer import Token
from nacre.cli.render.template.nodes import Command, Function, Literal, Operand, Path, Pipeline
from nacre.cli.render.template.tokenstream import TokenStream
from nacre.cli.render.template.values import quote

_OPERANDS = frozenset(
    {"string", "raw", "character", "number", "variable", "field", "dot", "word", "open"}
)


class PipelineParser:
    """A recursive-descent parser of pipelines that may call ``functions`` by name.

    ``variables`` are those in scope, the innermost last.
    """

    def __init__(self, tokens: TokenStream, functions: Collection[str]) -> None:
        self._tokens = tokens
        self._functions = functions
        self.variables = ["$"]

    def parse(self, context: str) -> Pipeline:
        """Parse up to the closing delimiter or parenthesis, which stays unread."""
        position = self._tokens.next_word().position
        self._tokens.back()
        variables, assigns = self._declarations(context)
        commands: list[Command] = []
        while (token := self._tokens.next_word()).kind not in {"right", "close"}:
            if token.kind not in _OPERANDS:
                self._tokens.unexpected(token, context)
            self._tokens.back()
            commands.append(self._command())
        self._tokens.back()
        if not commands:
            self._tokens.fail(f"missing value for {context}")
        for stage, command in enumerate(commands[1:], 2):
            if isinstance(command.operands[0], Literal) or str(command.operands[0]) == ".":
                self._tokens.fail(f"non executable command in pipeline stage {stage}")
        self.variables.extend(() if assigns else variables)
        return Pipeline(tuple(variables), assigns, tuple(commands), position)

    def _declarations(self, context: str) -> tuple[list[str], bool]:
        """Parse ``$x :=``, ``$x =`` or, in a range, ``$i, $e :=``; leave anything else unread."""
        variables: list[str] = []
        start = self._tokens.mark()
        while (token := self._tokens.next_word()).kind == "variable":
            variables.append(token.text)
            after = self._tokens.next_word()
            if after.kind in {"declare", "assign"}:
                return variables, after.kind == "assign"
            if after.text != ",":
                break
            if context != "range" or len(variables) == 2:
                self._tokens.fail(f"too many declarations in {context}")
            if self._tokens.next_word().kind not in {"variable", "right", "close"}:
                self._tokens.fail("range can only initialize variables")
            self._tokens.back()
        self._tokens.reset(start)
        return [], False

    def _command(self) -> Command:
        """Parse operands up to a pipe, which is read, or to the end of the pipeline."""
        operands = [self._operand(self._tokens.next_word())]
        while (token := self._tokens.next()).kind == "space":
            following = self._tokens.next_word()
            self._tokens.back()
            if following.kind in _OPERANDS:
                operands.append(self._operand(self._tokens.next()))
        if token.kind in {"right", "close"}:
            self._tokens.back()
        elif token.kind != "pipe":
            self._tokens.unexpected(token, "operand")
        return Command(tuple(operands), operands[0].position)

    # --- operands

    def _operand(self, token: Token) -> Operand:
        term = self._term(token)
        names: list[str] = []
        position = term.position
        while (token := self._tokens.next()).kind == "field":
            position = position if names else token.position
            names.append(token.text[1:])
        self._tokens.back()
        if not names:
            return term
        if isinstance(term, Literal) or str(term) == ".":
            self._tokens.fail(f"unexpected . after term {quote(str(term))}")
        if isinstance(term, Path):
            return Path(term.root, (*term.fields, *names), position)
        # Fields of a function without arguments: the function is a pipeline of its own.
        call = Pipeline((), False, (Command((term,), term.position),), term.position)
        return Path(call, tuple(names), position)

    def _term(self, token: Token) -> Operand:
        text, position = token.text, token.position
        match token.kind:
            case "string" | "raw" | "character" | "number":
                return Literal(self.constant(token), text, position)
            case "dot":
                return Path(".", (), position)
            case "field":
                return Path(".", (text[1:],), position)
            case "variable":
                if text not in self.variables:
                    self._tokens.fail(f"undefined variable {quote(text)}")
                return Path(text, (), position)
            case "open":
                return self._parenthesis()
            case _:
                return self._word(token)

    def _parenthesis(self) -> Path:
        pipeline = self.parse("parenthesized pipeline")
        closing = self._tokens.next()
        if closing.kind != "close":
            self._tokens.fail(f"unclosed right paren: unexpected {closing}")
        return Path(pipeline, (), pipeline.position)

    def _word(self, token: Token) -> Literal | Function:
        constants = {"true": True, "false": False, "nil": None}
        if token.text in constants:
            return Literal(constants[token.text], token.text, token.position)
        if token.text not in self._functions:
            self._tokens.fail(f"function {quote(token.text)} not defined")
        return Function(token.text, token.position)

    def constant(self, token: Token) -> str | float:
        """Return what a literal stands for.

        Raises:
            TemplateSyntaxError: it stands for nothing.
        """
        try:
            match token.kind:
                case "number":
                    return literals.number(token.text)
                case "character":
                    return literals.character(token.text)
                case _:
                    return literals.string(token.text)
        except ValueError as error:
            self._tokens.fail(str(error))
