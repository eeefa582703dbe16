"""What a person reads before they share says what is shared."""

import pytest
from flask import Flask

from idp.consent.words import SCOPES, released
from idp.oidc import scope_table
from idp.subjects.claims import PROFILE_CLAIMS

WORDS = {
    "name": "name",
    "preferred_username": "user name",
    "birthdate": "date of birth",
    "gender": "gender",
    "picture": "picture",
    "website": "website",
    "locale": "language",
    "zoneinfo": "time zone",
}
"""The members of `profile` that tell something of their own; the rest are parts or copies of these."""


def test_every_scope_that_tells_something_has_words() -> None:
    assert set(SCOPES) == set(scope_table.SCOPES) - {"openid"}


@pytest.mark.parametrize("claim", sorted(WORDS))
def test_X3_profile_names_what_it_releases(app: Flask, claim: str) -> None:
    assert claim in PROFILE_CLAIMS
    with app.test_request_context():
        (line,) = released(["profile"])
        assert WORDS[claim] in str(line)
