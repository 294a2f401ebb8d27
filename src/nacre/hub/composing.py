"""The composition root: a hub's parts, put together over records and bytes that are open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from nacre.hub.accounts.attempts import Attempts
from nacre.hub.accounts.logins import Logins
from nacre.hub.accounts.passwords import Passwords
from nacre.hub.api.metrics import Metrics
from nacre.hub.api.observing import App
from nacre.hub.api.routes import registry_app
from nacre.hub.api.token import TokenServer
from nacre.hub.auth.gate import Gate
from nacre.hub.auth.issuer import Issuer
from nacre.hub.auth.signing import KeyRing
from nacre.hub.auth.tokens import Tokens
from nacre.hub.background import background
from nacre.hub.configuration.options import Options
from nacre.hub.configuration.rates import Rate
from nacre.hub.guarding import guarded
from nacre.hub.jobs.journal import Journal
from nacre.hub.jobs.pulls import Pulls
from nacre.hub.logs import Log
from nacre.hub.opening import now
from nacre.hub.records import Records
from nacre.hub.registry.byteplace import BytePlace
from nacre.hub.registry.rules import Rules
from nacre.hub.repositories.repository import Visibility
from nacre.hub.site import site


@asynccontextmanager
async def composed(
    options: Options, records: Records, place: BytePlace, log: Log, journal: Journal
) -> AsyncIterator[App]:
    """Give the application of a hub, with its background work under way."""
    metrics = Metrics()
    shown = metrics if options.log.metrics else None
    pulls = Pulls(records.manifests, now=now)
    with Passwords() as passwords:
        entrance = _entrance(options, records, passwords)
        registry = _registry(options, records, place, entrance.gate, pulls)
        app = site(registry, _token_server(options, records, entrance), records, place, shown)
        async with background(
            options, records, place, journal, log, pulls=pulls, ring=entrance.ring, metrics=metrics
        ):
            yield guarded(app, options, entrance.tokens, shown, log)


@dataclass(frozen=True, slots=True)
class _Entrance:
    """What finds out who somebody is, and what they may do."""

    ring: KeyRing
    tokens: Tokens
    logins: Logins
    gate: Gate


def _entrance(options: Options, records: Records, passwords: Passwords) -> _Entrance:
    auth = options.auth
    ring = KeyRing(records.keys, now)
    tokens = Tokens(
        ring,
        service=auth.service,
        now=now,
        access_life=auth.token_life,
        refresh_life=auth.refresh_life,
    )
    logins = Logins(records.users, passwords, _attempts(options.limits.logins), now)
    gate = Gate(records.repositories, logins, tokens, anonymous_push=auth.anonymous_push)
    return _Entrance(ring, tokens, logins, gate)


def _attempts(rate_text: str) -> Attempts:
    rate = Rate.read(rate_text)
    if rate is None:
        return Attempts(now, most=0)
    return Attempts(now, most=rate.requests, window=timedelta(seconds=rate.seconds))


def _token_server(options: Options, records: Records, entrance: _Entrance) -> TokenServer:
    issuer = Issuer(entrance.gate, entrance.logins, records.users, entrance.tokens)
    return TokenServer(issuer, patience=options.registry.client_patience)


def _registry(
    options: Options, records: Records, place: BytePlace, gate: Gate, pulls: Pulls
) -> App:
    return registry_app(
        records,
        place,
        gate,
        service=options.auth.service,
        now=now,
        rules=_rules(options),
        url=options.server.url,
        patience=options.registry.client_patience,
        pulled=pulls.note,
    )


def _rules(options: Options) -> Rules:
    registry = options.registry
    return Rules(
        manifest_limit=registry.manifest_limit,
        blob_limit=registry.blob_limit,
        chunk_min=registry.chunk_min,
        page=registry.page,
        writers=options.limits.uploads,
        grace=options.collection.grace,
        visibility=Visibility(registry.visibility),
        sparse=frozenset(registry.sparse),
        immutable=registry.immutable,
    )
