"""`/healthz` (alive), `/readyz` (database, keys, clock, store), `/metrics` (not for the public)."""

from collections.abc import Callable
from typing import Final

import orjson
from flask import Blueprint, Flask, Response, abort, current_app, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.http import parse_list_header

from idp.foundation import epochs, house, metrics, outage, timekeeping
from idp.foundation.database import reading
from idp.foundation.front_door import route_policy
from idp.foundation.store import Store
from idp.settings import Settings
from idp.vocabulary.secret import Secret

bp = Blueprint("health", __name__)

_CHECKS: Final = "credence_checks"
_LOOPBACK: Final = ("127.0.0.1", "::1")


def attach(app: Flask, *, keys: Callable[[], bool]) -> None:
    """Mount the three, and answer for an absent database; `keys` says whether there is something to sign with."""
    app.extensions[_CHECKS] = {"database": _database, "keys": keys, "clock": timekeeping.agrees}
    app.register_blueprint(bp)
    outage.attach(app)


@bp.get("/healthz")
@route_policy(auth="public")
def healthz() -> Response:
    """This process answers; it asks nobody else (R-09, R-12)."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@bp.get("/readyz")
@route_policy(auth="public")
def readyz() -> Response:
    """Whether requests can be served here: 503 without database or keys, or by a wrong clock. Redis is told, and never makes it red."""
    found: dict[str, str] = {
        name: "ok" if check() else "down" for name, check in current_app.extensions[_CHECKS].items()
    }
    ready = "down" not in found.values()
    store = house.get(Store)
    found["store"] = "none" if not store.configured else "down" if store.breaker.open else "ok"
    return Response(
        orjson.dumps({"ready": ready, **found}), status=200 if ready else 503, content_type="application/json"
    )


@bp.get("/metrics")
@route_policy(auth="public")
def exposition() -> Response:
    """Prometheus' text format, for whoever holds the token; without one set, for loopback only."""
    if not _may_measure(house.get(Settings)):
        abort(404)
    return Response(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _may_measure(settings: Settings) -> bool:
    if settings.metrics_public or settings.demo:
        return True
    if settings.metrics_token is not None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return scheme.lower() == "bearer" and Secret(settings.metrics_token.reveal()).matches(token)
    return request.remote_addr in _LOOPBACK and _came_by_every_proxy(settings)


def _came_by_every_proxy(settings: Settings) -> bool:
    """Whether the address is that of who asks: without a word of each trusted proxy it is a proxy's own."""
    if settings.trusted_proxies == 0:
        return "X-Forwarded-For" not in request.headers
    return len(parse_list_header(request.headers.get("X-Forwarded-For", ""))) >= settings.trusted_proxies


def _database() -> bool:
    try:
        with reading() as tx:
            return epochs.current(tx) > 0
    except SQLAlchemyError:
        return False
