"""Fixtures for every test: the command, foreign registries, a counting proxy, a real root tree."""

from __future__ import annotations

import signal
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import settings

from nacre.engine import settings as engine_settings
from tests.peers.certificates import Authority, make_authority
from tests.peers.nacre import NacreCli
from tests.peers.proxy import CountingProxy, counting_proxy
from tests.peers.registry import DockerRegistry, running_registry
from tests.peers.rootfs import debian_rootfs
from tests.servers.hub import Hub, started_hub

# A shell starts what runs in the background with interrupts ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long one example takes says nothing on a machine that others use too.
settings.register_profile("nacre", deadline=None)
settings.load_profile("nacre")

ProxyStarter = Callable[[int], CountingProxy]
Summary = Callable[[str], None]
_IN_SUMMARY = "in the summary"


class HubStarter(Protocol):
    """Starts a hub that ends with the test; see ``tests.servers.hub.started_hub``."""

    def __call__(
        self,
        *flags: str,
        env: Mapping[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        data: Path | None = None,
        listen: str = "127.0.0.1:0",
    ) -> Hub:
        """Return it when it is ready; the same hub again, as far as its data goes, each time."""


class RegistryStarter(Protocol):
    """Starts a docker-registry that ends with the test; see ``running_registry``."""

    def __call__(
        self,
        *,
        user: str = "",
        password: str = "",
        authority: Authority | None = None,
        client_authority: Authority | None = None,
        delete: bool = False,
    ) -> DockerRegistry:
        """Return it when it answers."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that want certificates: openssl makes them."""
    for item in items:
        if "authority" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.peers)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that asked for it, and how they ended."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, text in report.user_properties if report.when == "call" else ():
                if name == _IN_SUMMARY:
                    terminalreporter.write_line(f"{text}: {outcome}")


@pytest.fixture
def summary(request: pytest.FixtureRequest) -> Summary:
    """A function that gives the test a line in the summary of the test run."""
    return lambda text: request.node.user_properties.append((_IN_SUMMARY, text))


@pytest.fixture(scope="session", autouse=True)
def own_run_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What engines of this process mount lies with the files of the tests, also for root."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_settings, "_ROOT_USER_RUN", str(tmp_path_factory.mktemp("run")))
        yield


@pytest.fixture
def nacre_cli(tmp_path: Path) -> NacreCli:
    """The installed ``nacre`` with an empty store and home."""
    return NacreCli(tmp_path / "nacre")


@pytest.fixture
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RegistryStarter]:
    """A function that starts docker-registry with the given options, as often as wanted."""
    with ExitStack() as running:

        def start(
            *,
            user: str = "",
            password: str = "",
            authority: Authority | None = None,
            client_authority: Authority | None = None,
            delete: bool = False,
        ) -> DockerRegistry:
            return running.enter_context(
                running_registry(
                    tmp_path_factory.mktemp("registry"),
                    user=user,
                    password=password,
                    authority=authority,
                    client_authority=client_authority,
                    delete=delete,
                )
            )

        yield start


@pytest.fixture
def start_hub(tmp_path: Path) -> Iterator[HubStarter]:
    """A function that starts ``nacre hub serve``, as often as wanted; each must end well."""
    with ExitStack() as running:

        def start(
            *flags: str,
            env: Mapping[str, str] | None = None,
            tls: ssl.SSLContext | None = None,
            data: Path | None = None,
            listen: str = "127.0.0.1:0",
        ) -> Hub:
            return running.enter_context(
                started_hub(tmp_path / "hub", *flags, env=env, tls=tls, data=data, listen=listen)
            )

        yield start


@pytest.fixture
def running_hub(start_hub: HubStarter) -> Hub:
    """A hub with the usual settings and a fresh folder."""
    return start_hub()


@pytest.fixture
def proxy_before() -> Iterator[ProxyStarter]:
    """A function that starts a counting proxy before the loopback server on a port."""
    with ExitStack() as running:
        yield lambda port: running.enter_context(counting_proxy(port))


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority that nobody trusts unless told to."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def debian_rootfs_tar() -> Path:
    """A tar of a real root file system, made from this machine's package sources; do not change."""
    return debian_rootfs()
