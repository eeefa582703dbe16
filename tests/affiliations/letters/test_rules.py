"""Which portal letters are for, and who gets one: pure."""

from datetime import date
from uuid import UUID

import pytest

from idp.affiliations.letters.rules import (
    LONGEST,
    Asked,
    NoPortal,
    Offer,
    Turned,
    ceremony_with_letter,
    offer_for,
    sorted_out,
)
from idp.directory.letters.rules import Addressee, Span, Unsendable
from idp.vocabulary.refused import Refused

CASCADE = Offer("cascade-mmis", "heartland", "register")
OTHER = Offer("ozark-letters", "ozark", "by-letter")
TODAY = date(2026, 3, 2)
SPAN = Span(TODAY, date(2026, 3, 23))


def addressee(number: str, *, status: str = "active") -> Addressee:
    return Addressee(UUID(int=1), number, "Inés Halvorsen", ("97140",), "OR", status, date(2020, 1, 1), None)


def test_the_ceremony_is_the_one_with_the_step():
    ceremonies = {
        "invited": ("accept",),
        "register": ("pin_letter", "create_account+agreement"),
        "later": ("pin_letter",),
    }
    assert ceremony_with_letter(ceremonies) == "register"
    assert ceremony_with_letter({"register": ("find_provider", "agreement + pin_letter")}) == "register"
    assert ceremony_with_letter({"register": ("pin_letters_not",)}) is None
    assert ceremony_with_letter({}) is None


@pytest.mark.parametrize(
    ("portal", "registry", "outcome"),
    [
        (None, "heartland", CASCADE),
        (None, "ozark", OTHER),
        ("cascade-mmis", None, CASCADE),
        ("cascade-mmis", "heartland", CASCADE),
        (None, None, Refused(NoPortal.SEVERAL)),
        (None, "elsewhere", Refused(NoPortal.NONE)),
        ("carebridge-provider", None, Refused(NoPortal.NOT_ONE)),
        ("cascade-mmis", "ozark", Refused(NoPortal.OTHER_REGISTRY)),
    ],
)
def test_the_portal_is_named_or_the_only_one(portal: str | None, registry: str | None, outcome: Offer | Refused):
    assert offer_for([CASCADE, OTHER], portal=portal, registry=registry) == outcome


def test_whoever_cannot_use_a_letter_gets_none_and_the_line_is_told():
    known = {number: addressee(number) for number in ("111111", "222222")}
    known["333333"] = addressee("333333", status="terminated")
    asked = [
        Asked(2, "111111"), Asked(3, " 222222 ", "1 Elm Street", "Salem"), Asked(4, "333333"), Asked(5, "444444"),
        Asked(6, "666-02-5841"), Asked(7, "111111"), Asked(8, "222222"),
    ]  # fmt: skip
    going, turned = sorted_out(asked, known=known, span=SPAN)
    assert [(each.line, found.provider_id) for each, found in going] == [(2, "111111"), (3, "222222")]
    assert turned == [
        Turned(4, "333333", Unsendable.NOT_IN_FORCE),
        Turned(5, "444444", Unsendable.UNKNOWN),
        Turned(6, "", Unsendable.MALFORMED),
        Turned(7, "111111", Unsendable.TWICE),
        Turned(8, "222222", Unsendable.TWICE),
    ]


@pytest.mark.parametrize("street", ["x" * (LONGEST + 1), "1 Elm\nStreet", "1 Elm\u202eStreet"])
def test_an_address_that_no_envelope_shows_is_refused(street: str):
    _, turned = sorted_out([Asked(2, "111111", street)], known={"111111": addressee("111111")}, span=SPAN)
    assert turned == [Turned(2, "111111", Unsendable.ADDRESS)]
