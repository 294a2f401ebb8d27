"""What every request passes on its way in and every answer on its way out."""

from __future__ import annotations

import time

from nacre.hub.api.client_address import BehindProxies
from nacre.hub.api.heads import SoundHeads
from nacre.hub.api.limits import LimitedPulls, LimitedRequests
from nacre.hub.api.metrics import Metrics
from nacre.hub.api.observing import App, Observed
from nacre.hub.api.rates import Buckets
from nacre.hub.auth.tokens import Tokens
from nacre.hub.configuration.options import Limits, Options
from nacre.hub.configuration.rates import Rate
from nacre.hub.logs import Log


def guarded(app: App, options: Options, tokens: Tokens, metrics: Metrics | None, log: Log) -> App:
    """Return an application that knows who asks, notes it, and refuses what is too much."""
    observed = Observed(
        _limited(app, options.limits, tokens),
        metrics=metrics,
        access=log if options.log.access else None,
        audit=log if options.log.audit else None,
    )
    return BehindProxies(observed, options.server.trusted_proxies)


def _limited(app: App, limits: Limits, tokens: Tokens) -> App:
    users, anonymous = _buckets(limits.pulls), _buckets(limits.pulls_anonymous)
    if users or anonymous:
        app = LimitedPulls(app, tokens.read, users=users, anonymous=anonymous or users)
    app = SoundHeads(app, limits.header)
    requests = _buckets(limits.requests)
    return LimitedRequests(app, requests) if requests else app


def _buckets(rate_text: str) -> Buckets | None:
    rate = Rate.read(rate_text)
    return Buckets(rate, time.monotonic) if rate else None
