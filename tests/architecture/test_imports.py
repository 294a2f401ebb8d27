"""Who may import whom: the table of docs/architecture.md, held by a test."""

from __future__ import annotations

import pytest

from tests.architecture.source import Module, modules, resolve

MODULES = modules()
KNOWN = frozenset(module.name for module in MODULES)

# What a package may import, besides itself, errors and value: packages, or single modules of them.
# A package that is not built yet is already bound by its line.
ALL_BELOW_ENGINE = {
    "oci", "content", "layers", "erofs", "storage", "distribution", "transports", "images",
    "containers", "build",
}  # fmt: skip
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "value": set(),
    "oci": set(),
    "content": {"oci"},
    "distribution": {"oci"},
    "layers": {"oci.digest"},
    "erofs": {"layers.entry"},
    "storage": {
        "oci.digest", "oci.chain", "layers", "erofs",
        # What makes files durable and locks them is the same for blobs and for trees.
        "content.durable", "content.locking", "content.diskerrors",
    },
    "transports": {"oci", "content", "distribution", "layers"},
    "images": {"oci", "content", "layers", "storage"},
    "containers": {"oci.config", "layers.rootpath", "layers.apply", "layers.diff", "storage"},
    "build": {"oci", "content", "layers", "storage", "images", "containers"},
    "engine": ALL_BELOW_ENGINE,
    "hub": {"oci", "content.durable", "content.locking", "content.diskerrors"},
    "cli": {"engine", "oci", "transports.events"},
    "testing": ALL_BELOW_ENGINE | {"engine", "hub"},
    "__main__": {"cli"},
    "": {"engine"},
}  # fmt: skip

# Modules that everybody else may import.
EVERYBODYS = {"errors", "value"}

# Modules that may import more than the rest of their package, and those of the same prefix:
# ``cli.commands.hub_serve`` is one of ``cli.commands.hub``.
EXCEPTIONS: dict[str, set[str]] = {
    "hub.upstream": {"distribution"},
    "cli.commands.hub": {"hub"},
}

# Pairs of sub-packages that may not know each other, though their packages could.
STRANGERS = [("hub.api", "hub.web"), ("hub.web", "hub.api")]

NETWORK = {"urllib3", "socket", "ssl", "http.client", "urllib.request", "socketserver", "asyncio"}
SERVERS = {"starlette", "granian", "uvicorn", "aiohttp", "urllib3", "http"}
DATABASES = {"sqlite3", "sqlalchemy", "alembic", "psycopg"}


def is_within(name: str, package: str) -> bool:
    """Return whether a dotted name is ``package`` or lies in it."""
    return name == package or name.startswith(f"{package}.")


def own_imports(module: Module) -> set[str]:
    """Return the modules of nacre that a module imports."""
    return nacres(module.imports)


def nacres(imports: frozenset[str]) -> set[str]:
    """Return the modules of nacre that are meant by some of the imports."""
    return {name for imported in imports if (name := resolve(imported, KNOWN)) is not None}


def imports_any(module: Module, libraries: set[str]) -> set[str]:
    """Return those of its imports that lie in one of the libraries."""
    return {name for name in module.imports if any(is_within(name, one) for one in libraries)}


def allowed_for(module: Module) -> set[str]:
    """Return the packages and modules that a module may import."""
    allowed = {module.package} | ALLOWED.get(module.package, set())
    if module.package not in EVERYBODYS:
        allowed |= EVERYBODYS
    for place, more in EXCEPTIONS.items():
        if is_within(module.name, place) or module.name.startswith(f"{place}_"):
            allowed |= more
    return allowed


def test_the_source_was_found() -> None:
    assert {"", "errors", "oci.digest"} <= KNOWN


def test_every_package_has_a_line_in_the_table() -> None:
    assert {module.package for module in MODULES} <= set(ALLOWED)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.within)
def test_a_module_imports_only_what_its_package_may(module: Module) -> None:
    allowed = allowed_for(module)
    wrong = {
        name
        for name in own_imports(module)
        # The root holds the version, which everyone may read.
        if name and not any(is_within(name, one) for one in allowed if one)
    }
    assert not wrong, f"{module.within} may import only {sorted(filter(None, allowed))}"


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_strangers_do_not_know_each_other(one: str, other: str) -> None:
    wrong = [
        module.within
        for module in MODULES
        if is_within(module.name, one)
        and any(is_within(name, other) for name in own_imports(module))
    ]
    assert not wrong


def test_no_import_goes_round_in_a_circle() -> None:
    # The root is the door of the public API and opens late; nobody's import passes through it.
    graph = {module.name: nacres(module.running_imports) - {"", module.name} for module in MODULES}
    graph.pop("")
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, "a circle: " + " -> ".join((*path[path.index(name) :], name))
        if name not in done:
            for following in sorted(graph[name]):
                visit(following, (*path, name))
            done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_only_the_transport_opens_network_connections() -> None:
    wrong = {
        module.within: found
        for module in MODULES
        if module.package not in ("hub", "testing")
        # What runs a hub runs its event loop.
        and not module.name.startswith("cli.commands.hub_")
        and not module.within.startswith("distribution/transport")
        and (found := imports_any(module, NETWORK))
    }
    assert not wrong, "only distribution/transport*.py may"


def test_only_the_hubs_outer_parts_speak_http() -> None:
    silent = ("hub.accounts", "hub.repositories", "hub.auth", "hub.registry", "hub.storage")
    wrong = {
        module.within: found
        for module in MODULES
        if any(is_within(module.name, part) for part in silent)
        and (found := imports_any(module, SERVERS))
    }
    assert not wrong


def test_only_the_state_modules_open_a_database() -> None:
    wrong = {
        module.within: found
        for module in MODULES
        if not module.within.startswith(("engine/state", "hub/storage/"))
        and (found := imports_any(module, DATABASES))
    }
    assert not wrong, "only engine/state*.py and hub/storage/ may"
