"""The database does not answer, or not in time: 503 and when to come back, never a stack (R-09, R-11, R-12, R-22)."""

import logging
from typing import Any, Final

from flask import Flask, current_app, g
from sqlalchemy import exc
from werkzeug.exceptions import ServiceUnavailable

from idp.foundation import metrics

RETRY_AFTER: Final = 2
"""Seconds; a database that restarts is back about then."""
AWAY: Final = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""What only means that the database is away, locked or full; a wrong statement stays an error of ours."""
_log = logging.getLogger(__name__)


def attach(app: Flask) -> None:
    """Answer each of `AWAY`."""
    for kind in AWAY:
        app.register_error_handler(kind, _away)


def note(error: Exception) -> None:
    """Log and count it, in few words."""
    kind = type(getattr(error, "orig", None) or error).__name__
    _log.error("the database does not do its work", extra={"reason": kind})
    metrics.happened("database_away")


def _away(error: Exception) -> Any:
    note(error)
    g.retry_after = RETRY_AFTER
    return current_app.handle_user_exception(ServiceUnavailable())
