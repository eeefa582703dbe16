"""`idp people` from the shell."""

import json

import pytest
from click.testing import CliRunner
from flask.cli import ScriptInfo

from idp.authenticators.password.cli import people
from idp.sessions.models import BrowserSession
from tests.authenticators.browsing import follow, sign_in, signed_in

GOOD = "walnut orbit kettle 7"


@pytest.fixture
def run(app):
    def invoke(*arguments: str, password: str = GOOD):
        runner = CliRunner()
        return runner.invoke(people, arguments, input=f"{password}\n", obj=ScriptInfo(create_app=lambda: app))

    return invoke


def test_a_person_is_made_with_a_password_from_standard_input(run, client):
    made = run("create", "--user-id", "lena.ortiz", "--email", "lena@clinic.example", "--password-stdin", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.output)["status"] == "active"
    signed_in(client, "lena.ortiz", GOOD)


def test_a_temporary_password_must_be_changed(run, client):
    run("create", "--user-id", "lena.ortiz", "--email", "lena@clinic.example", "--temporary", "--password-stdin")
    assert follow(client, sign_in(client, "lena.ortiz", GOOD)).request.path.endswith("/change-password")


@pytest.mark.parametrize(
    ("arguments", "password"),
    [
        (("--user-id", "admin"), GOOD),
        (("--email", "not an address"), GOOD),
        ((), GOOD),
        (("--user-id", "lena.ortiz"), "password"),
        (("--user-id", "lena.ortiz"), ""),
        (("--user-id", "lena.ortiz", "--phone", "abc"), GOOD),
    ],
)
def test_what_is_refused_says_why_and_exits_1(run, arguments, password):
    refused = run("create", *arguments, "--password-stdin", password=password)
    assert refused.exit_code == 1
    assert refused.output.strip()
    assert GOOD not in refused.output


def test_a_time_zone_that_is_none_is_wrong_input(run):
    wrong = run("create", "--user-id", "lena.ortiz", "--zone", "Mars/Olympus", "--password-stdin")
    assert wrong.exit_code == 2 and "IANA" in wrong.output


def test_a_disabled_person_is_out_and_enabled_again(run, client, make):
    make.subject("rosa.delgado")
    signed_in(client, "rosa.delgado")
    assert run("disable", "ROSA.delgado", "--reason", "left").exit_code == 0
    assert client.get("/account/").status_code == 303
    assert all(row.ended_at for row in make.rows(BrowserSession))
    assert run("disable", "rosa.delgado", "--reason", "left").exit_code == 1
    assert run("enable", "rosa.delgado@mail.test").exit_code == 0
    signed_in(client, "rosa.delgado")
    assert run("enable", "nobody").exit_code == 1


def test_help_names_every_command(run):
    told = run("--help").output
    assert all(name in told for name in ("create", "disable", "enable"))
