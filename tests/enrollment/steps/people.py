"""What the tests of the steps share: refusals as the audit keeps them, an account on the way, a person signed in."""

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.affiliations.models import Affiliation
from idp.affiliations.requests.models import AccessRequest
from idp.audit.models import AuditEvent
from idp.foundation.limiter import AttemptBudget
from tests.authenticators.browsing import post_form
from tests.enrollment.worlds import ACCOUNT, follow, link_of, press, send
from tests.factories import Make
from tests.factories.make import PASSWORD

NO_MATCH = "These details do not match our records."
TOO_MANY = "There were too many attempts."


def refusals(make: Make, event: str = "enrollment_refused") -> list[str]:
    """Why steps refused, oldest first."""
    rows = [row for row in make.rows(AuditEvent) if row.type == event]
    return [row.outcome for row in sorted(rows, key=lambda row: row.id)]


def registered(browser: FlaskClient, page: TestResponse, make: Make) -> TestResponse:
    """Through create_account and the mailed link, and the sign-in where more is asked; the page that follows."""
    send(browser, page, **ACCOUNT)
    page = press(browser, link_of(make))
    if 'id="login-form"' not in page.text:
        return page
    return follow(browser, post_form(browser, page, "login-form", username=ACCOUNT["email"], password=PASSWORD))


def access(make: Make) -> list[tuple[str, str, str, bool]]:
    """Every affiliation: target kind, target id, status, mark."""
    rows = make.rows(Affiliation)
    return [(row.target_kind, str(row.target_id), row.status, row.account_manager) for row in rows]


def asked(make: Make) -> list[tuple[str, str, str, str]]:
    """Every access request: target kind, target id, e-mail, reason."""
    return [(row.target_kind, str(row.target_id), row.email, row.reason) for row in make.rows(AccessRequest)]


def counted(make: Make, name: str) -> int:
    """Attempts that stand against anything of this budget."""
    return sum(row.failures for row in make.rows(AttemptBudget) if row.name == name)
