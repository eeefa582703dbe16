"""`python -m bench.revoking`: access ended at one node; what a second node on the same database says at its next request.

Nothing waits for a cache: the count of refusals is the figure, and beside it the CPU µs that a refusal costs the second node.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Final

from sqlalchemy import select

from bench import report
from bench.cpu import seconds_of_tree
from bench.flow import Browser
from bench.load import Caller, Request
from bench.people import PASSWORD
from bench.provider import Provider, beside, running
from bench.report import Bar, Figure
from idp import create_app
from idp.affiliations import service as affiliations
from idp.affiliations.models import Affiliation
from idp.foundation import clock
from idp.foundation.database import see_as, writing
from idp.foundation.origin import Origin
from idp.settings import load
from idp.subjects.models import Subject
from idp.vocabulary.affiliation import AffiliationStatus

PEOPLE: Final = 10
ROUNDS: Final = 5
REFUSALS: Final = 60
"""Asked once more for the CPU of a refusal."""


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(prog="python -m bench.revoking", description=main.__doc__)
    parser.add_argument("--port", type=int, default=8940)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        with running(data, port=asked.port) as first, beside(first, data, port=asked.port + 1) as second:
            app = create_app(load(overrides=first.changed))
            with app.app_context():
                at_once, token = 0, ""
                for number in range(PEOPLE):
                    token = _token(first, number)
                    _expect(asked.port + 1, first, token, 200)
                    _end(f"bench.person{number}")
                    _expect(asked.port + 1, first, token, 401)
                    at_once += 1
            each = [_refusal_us(asked.port + 1, first, token, second) for _ in range(ROUNDS)]
    figures = [
        Figure("people whose access was ended at the first node", "", [PEOPLE]),
        Figure("refused by the second node's next request", "", [at_once]),
        Figure("a refusal, with a new connection", "µs CPU", each),
    ]
    report.tell("revoking", figures, [Bar("refused at once, of all", at_once / PEOPLE, 1.0, at_least=True)])


def _refusal_us(port: int, first: Provider, token: str, second: int) -> float:
    before = seconds_of_tree(second)
    for _ in range(REFUSALS):
        _expect(port, first, token, 401)
    return (seconds_of_tree(second) - before) / REFUSALS * 1e6


def _token(first: Provider, number: int) -> str:
    caller = Caller(first.port)
    code = Browser(caller).sign_in(first.portal, f"bench.person{number}", PASSWORD)
    token: str = json.loads(caller.ask(first.portal.exchange(code)).body)["access_token"]
    caller.close()
    return token


def _expect(port: int, first: Provider, token: str, status: int) -> None:
    """The second node is asked under the issuer's name, as behind one proxy."""
    caller = Caller(port)
    headers = {"Authorization": f"Bearer {token}", "Host": f"localhost:{first.port}"}
    caller.ask(Request("GET", "/oauth/userinfo", headers, expect=status))
    caller.close()


def _end(user_id: str) -> None:
    with writing() as tx:
        see_as(tx, everything=True)
        theirs = select(Affiliation.id).join(Subject, Subject.id == Affiliation.subject_id)
        identity = tx.execute(theirs.where(Subject.user_id == user_id)).scalar_one()
        affiliations.change_status(
            tx,
            affiliation_id=identity,
            status=AffiliationStatus.ENDED,
            now=clock.now(),
            actor="staff:bench",
            origin=Origin.local("bench"),
        )


if __name__ == "__main__":
    main()
