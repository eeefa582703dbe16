"""The demo's page of current codes; in production it is never registered, so its address is 404 (DESIGN §7)."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from idp.authenticators.totp.rules import PERIOD, code_at
from idp.demo import people
from idp.foundation import clock
from idp.foundation.front_door import route_policy
from idp.settings import PROJECT

bp = Blueprint("demo", __name__)
PEOPLE: Final = PROJECT / "clients" / "demo" / "people.toml"


@bp.get("/dev/codes")
@route_policy(auth="none")
def codes() -> ResponseReturnValue:
    """What the demo people's authenticator apps show now, and next; each code works once."""
    return render_template("demo/codes.html", codes=_codes(PEOPLE, now=clock.now()), period=PERIOD)


def _codes(file: Path, *, now: datetime) -> list[tuple[str, str, str]]:
    return [
        (
            person.user_id,
            code_at(person.totp_secret, now=now),
            code_at(person.totp_secret, now=now + timedelta(seconds=PERIOD)),
        )
        for person in people.read(file)
        if person.totp_secret is not None
    ]
