"""Tokens -> statements, after Go's text/template/parse, with its error messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from nacre.cli.render.template.errors import TemplateSyntaxError
from nacre.cli.render.template.lexer import Token
from nacre.cli.render.template.nodes import Branch, Inclusion, Leave, Statement
from nacre.cli.render.template.pipelines import PipelineParser
from nacre.cli.render.template.tokenstream import TokenStream
from nacre.cli.render.template.values import quote

_CLAUSES = frozenset({"if", "with", "range"})
_CLOSINGS = frozenset({"end", "else"})


def parse(source: str, functions: Collection[str]) -> Mapping[str, Sequence[Statement]]:
    """Return the statements of each template that a source defines; itself is named "".

    They may call ``functions`` by name.

    Raises:
        TemplateSyntaxError: the text is no template.
    """
    bodies = _Bodies()
    tokens = TokenStream(source)
    try:
        bodies.add("", _Parser(tokens, functions, bodies).template(), tokens)
    except RecursionError:
        raise TemplateSyntaxError(1, "nested too deep") from None
    return bodies.found


class _Bodies:
    """The templates found so far, by name."""

    def __init__(self) -> None:
        self.found: dict[str, Sequence[Statement]] = {}

    def add(self, name: str, body: Sequence[Statement], tokens: TokenStream) -> None:
        """Take one in; of several with the same name, only one may be more than white space."""
        if _is_empty(self.found.get(name, ())):
            self.found[name] = body
        elif not _is_empty(body):
            tokens.fail(f"template: multiple definition of template {quote(name)}")


def _is_empty(body: Sequence[Statement]) -> bool:
    return all(isinstance(statement, str) and not statement.strip() for statement in body)


class _Parser:
    """A recursive-descent parser of one template: it knows no variables of those around it."""

    def __init__(self, tokens: TokenStream, functions: Collection[str], bodies: _Bodies) -> None:
        self._tokens = tokens
        self._functions = functions
        self._bodies = bodies
        self._pipelines = PipelineParser(tokens, functions)
        self._ranges = 0

    def template(self) -> Sequence[Statement]:
        """Parse a whole source."""
        body, closing = self._body(may_define=True)
        if closing.kind != "end of file":
            self._tokens.fail(f"unexpected {{{{{closing.text}}}}}")
        return body

    # --- statements

    def _body(self, *, may_define: bool = False) -> tuple[Sequence[Statement], Token]:
        """Parse statements up to ``end``, ``else`` or the end of the text; return that token."""
        body: list[Statement] = []
        while (token := self._tokens.next()).kind != "end of file":
            if token.kind == "text":
                body.append(token.text)
                continue
            word = self._tokens.next_word()
            if word.kind == "keyword" and word.text in _CLOSINGS:
                if word.text == "end":
                    self._tokens.expect_right("end")
                return tuple(body), word
            if word.kind == "keyword" and word.text == "define" and may_define:
                self._define()
            else:
                body.append(self._action(word))
        return tuple(body), token

    def _closed_body(self) -> tuple[Sequence[Statement], Token]:
        """Parse statements up to ``end`` or ``else``."""
        body, closing = self._body()
        if closing.kind == "end of file":
            self._tokens.fail("unexpected EOF")
        return body, closing

    def _action(self, word: Token) -> Statement:
        keyword = word.text if word.kind == "keyword" else ""
        match keyword:
            case "break" | "continue":
                return self._leave(keyword)
            case "template":
                return self._inclusion()
            case "block":
                return self._block()
            case _ if keyword in _CLAUSES:
                return self._branch(keyword)
        self._tokens.back()
        pipeline = self._pipelines.parse("command")
        self._tokens.next()
        return pipeline

    def _leave(self, keyword: str) -> Leave:
        self._tokens.expect_right(f"{{{{{keyword}}}}}")
        if not self._ranges:
            self._tokens.fail(f"{{{{{keyword}}}}} outside {{{{range}}}}")
        return Leave(keyword)

    def _branch(self, keyword: str) -> Branch:
        outer = len(self._pipelines.variables)
        pipeline = self._pipelines.parse(keyword)
        self._tokens.next()
        self._ranges += keyword == "range"
        body, closing = self._closed_body()
        self._ranges -= keyword == "range"
        otherwise = self._else(keyword) if closing.text == "else" else ()
        del self._pipelines.variables[outer:]
        return Branch(keyword, pipeline, body, otherwise)

    def _else(self, keyword: str) -> Sequence[Statement]:
        # "else if" and "else with" stand for an else whose only statement is that branch; the
        # one "end" closes both.
        following = self._tokens.next_word()
        if following.kind == "keyword" and following.text in {"if", "with"}:
            if following.text != keyword:
                self._tokens.unexpected(following, "input")
            return (self._branch(keyword),)
        self._tokens.back()
        self._tokens.expect_right("else")
        body, closing = self._closed_body()
        if closing.text != "end":
            self._tokens.fail(f"expected end; found {{{{{closing.text}}}}}")
        return body

    # --- templates within the template

    def _define(self) -> None:
        name, _ = self._name("define clause")
        self._tokens.expect_right("define clause")
        self._add(name, "define clause")

    def _block(self) -> Inclusion:
        name, position = self._name("block clause")
        pipeline = self._pipelines.parse("block clause")
        self._tokens.next()
        self._add(name, "block clause")
        return Inclusion(name, pipeline, position)

    def _inclusion(self) -> Inclusion:
        name, position = self._name("template clause")
        if self._tokens.next_word().kind == "right":
            return Inclusion(name, None, position)
        self._tokens.back()
        pipeline = self._pipelines.parse("template clause")
        self._tokens.next()
        return Inclusion(name, pipeline, position)

    def _name(self, context: str) -> tuple[str, int]:
        token = self._tokens.next_word()
        if token.kind not in {"string", "raw"}:
            self._tokens.unexpected(token, context)
        return str(self._pipelines.constant(token)), token.position

    def _add(self, name: str, context: str) -> None:
        """Parse the body of a template up to its ``end`` and keep it."""
        inner = _Parser(self._tokens, self._functions, self._bodies)
        body, closing = inner._closed_body()
        if closing.text != "end":
            self._tokens.fail(f"unexpected {{{{{closing.text}}}}} in {context}")
        self._bodies.add(name, body, self._tokens)
