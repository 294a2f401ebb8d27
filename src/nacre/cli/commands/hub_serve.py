"""``nacre hub serve``: start a hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from nacre.cli.options import string, switch
from nacre.hub.processes.stopping import held

if TYPE_CHECKING:
    from nacre.cli.console import Console
    from nacre.cli.flags import Given
    from nacre.hub.configuration.settings import Settings

FLAGS = (
    string("data", "Folder of all data"),
    string("listen", "Address and port to listen on (default 127.0.0.1:5000)"),
    string("config", "Settings file of the hub"),
    switch("anonymous-push", "Let anybody push, without login"),
)
MORE = """\
The first start makes a user "admin" and prints its password, once. Log in with
  nacre login -u admin 127.0.0.1:5000
CTRL-C or SIGTERM stops the hub after the requests in flight, with exit code 0
(130 and 143 when it did not serve yet); SIGHUP reads the settings and the
certificate anew, but for the address, the number of workers and the data
folder. "nacre hub config" prints every setting.
"""


def run(given: Given, console: Console) -> int:
    """Serve until stopped."""
    with held():  # What a signal raises while something is imported may be lost.
        from nacre.hub.configuration.settings import load
        from nacre.hub.preparing import check_log, prepare
        from nacre.hub.processes.certificate import checked_certificate
        from nacre.hub.processes.serving import free_address, serve

    def stated() -> Settings:
        return load(
            file=given.config or None,
            data=given.data or None,
            listen=given.listen or None,
            anonymous_push=given.anonymous_push or None,
        )

    def again() -> Settings:
        settings = stated()
        check_log(settings)
        return settings

    settings = stated()
    certificate = checked_certificate(settings.options.server)
    address = free_address(settings)
    with held():  # An admin whose password nobody saw would be of no use.
        password = asyncio.run(prepare(settings))
        if password:
            console.line(f"made user admin with the password {password}")
            console.line("it is shown only now; change it with: nacre hub user passwd admin")
            console.stdout.flush()
    host, port = f"[{address[0]}]" if ":" in address[0] else address[0], address[1]
    scheme = "https" if certificate else "http"

    def ready() -> None:
        console.line(f"nacre hub listens on {scheme}://{host}:{port}, data in {settings.data}")
        console.stdout.flush()  # nothing else is said for as long as the hub lives

    serve(settings, address, certificate, again=again, on_ready=ready)
    return 0
