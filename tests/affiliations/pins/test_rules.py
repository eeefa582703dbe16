"""Why a pair does not match (D2, EN-02)."""

import pytest

from idp.affiliations.pins.rules import no_match


@pytest.mark.parametrize(
    ("known", "in_force", "pin", "why"),
    [
        (True, True, None, None),
        (False, False, None, "unknown_provider"),
        (True, True, "unknown", "wrong_pin"),
        (True, True, "expired", "pin_expired"),
        (True, True, "replayed", "pin_replayed"),
        (True, False, None, "not_in_force"),
    ],
)
def test_D2_only_a_good_letter_of_a_provider_in_force_matches(
    known: bool, in_force: bool, pin: str | None, why: str | None
) -> None:
    assert no_match(known=known, in_force=in_force, pin=pin) == why
