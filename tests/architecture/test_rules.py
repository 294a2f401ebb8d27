"""The things that only one place may do."""

from __future__ import annotations

import ast
import re

from tests.architecture.source import Module, modules

MODULES = modules()
SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|PRAGMA\s"
    r"|(CREATE|DROP|ALTER)\s+(UNIQUE\s+)?(TABLE|INDEX|VIEW|TRIGGER)\s|BEGIN\s+IMMEDIATE)",
)
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
MOUNTING = {"umount", "umount2", "fsopen", "fsmount", "move_mount", "open_tree"}
STREAMS = {"sys.stdin", "sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"}
EXITS = {"sys.exit", "os._exit", "os.abort", "SystemExit", "exit", "quit"}


def outside(*places: str) -> list[Module]:
    """Return the modules whose path below src/nacre begins with none of ``places``."""
    return [module for module in MODULES if not module.within.startswith(places)]


def used_by(module: Module, names: set[str]) -> set[str]:
    """Return which of the dotted names a module reads or imports."""
    return names & (set(module.names()) | module.imports)


def using(candidates: list[Module], names: set[str]) -> dict[str, set[str]]:
    """Return the candidates that use one of the names, and which."""
    return {module.within: found for module in candidates if (found := used_by(module, names))}


def test_sql_is_written_only_in_the_state_modules() -> None:
    wrong = {
        module.within: text
        for module in outside("engine/state", "hub/storage/")
        for text in module.strings()
        if SQL.match(text)
    }
    assert not wrong


def test_only_the_content_store_knows_where_blobs_lie() -> None:
    # An archive names its members like a layout, but those are names in a tar and no paths.
    wrong = {
        module.within: text
        for module in outside("content/filesystem.py")
        for text in module.strings()
        if (text == "blobs" or text.startswith("blobs/"))
        and not (module.package == "transports" and "archive" in module.path.name)
        # The hub keeps blobs under keys of its own; there it is a table and a folder.
        and module.package != "hub"
    }
    assert not wrong


def test_only_cli_and_settings_read_the_environment() -> None:
    candidates = [module for module in outside("cli/") if module.path.name != "settings.py"]
    assert not using(candidates, ENVIRONMENT)


def test_only_cli_speaks_to_the_terminal() -> None:
    assert not using(outside("cli/"), STREAMS | {"print", "input"})


def test_only_cli_ends_the_process() -> None:
    # In `storage/namespace.py` it is a child of nacre's own that ends.
    assert not using(outside("cli/", "__main__.py", "storage/namespace.py"), EXITS)


def test_only_one_module_asks_the_kernel_to_mount() -> None:
    wrong = {
        module.within: found
        for module in outside("storage/mounting.py")
        if (found := MOUNTING.intersection(module.attributes()))
    }
    assert not wrong


def test_a_package_file_holds_a_docstring_and_imports_only() -> None:
    wrong = {
        module.within: [ast.unparse(node) for node in extra]
        for module in MODULES
        if module.is_package and (extra := [n for n in module.tree.body if not belongs(n, module)])
    }
    assert not wrong


def belongs(node: ast.stmt, module: Module) -> bool:
    """Return whether a statement may stand in an ``__init__.py``."""
    if isinstance(node, ast.Assign):
        names = {ast.unparse(target) for target in node.targets}
        root = {"TYPE_CHECKING", "__all__", "__version__"}
        return names <= (root if not module.name else {"__all__"})
    # The root may open the engine late, so that importing nacre costs nothing.
    if isinstance(node, ast.FunctionDef):
        return not module.name and node.name in ("__getattr__", "__dir__")
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return docstring or isinstance(node, ast.Import | ast.ImportFrom)
