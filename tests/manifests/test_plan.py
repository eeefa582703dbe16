"""From two manifests to what changes, and whether what was issued must die."""

from typing import Any

import pytest

from idp.manifests.rules import Applied, Change, Checked, Kind, narrowed, plan
from idp.relying_parties.manifest import Manifest
from tests.factories.manifests import manifest

PARTNER: dict[str, Any] = {
    "grant_types": ["authorization_code", "client_credentials"],
    "token_endpoint_auth_method": "private_key_jwt",
    "jwks_uri": "https://partner.test/keys",
    "approved_for": {"registry": "ozark", "provider_ids": ["123456"], "tins": ["123456789"]},
    "resources": ["https://api.test/", "https://api.test/two"],
}


def one(before: Manifest | None, after: Manifest | None, *, enabled: bool = True, **texts: str) -> Change:
    wanted = () if after is None else (Checked("portal", after, texts),)
    applied = {} if before is None else {"portal": Applied(before, {}, enabled)}
    (change,) = plan(wanted, applied=applied)
    return change


def test_what_is_new_is_added() -> None:
    assert one(None, manifest()) == Change("portal", Kind.ADDED)


def test_what_is_the_same_is_unchanged() -> None:
    assert one(manifest(), manifest()) == Change("portal", Kind.UNCHANGED)


def test_what_is_gone_is_disabled() -> None:
    change = one(manifest(), None)
    assert change.kind is Kind.DISABLED
    assert change.ends is not None


def test_what_is_gone_and_off_is_not_mentioned() -> None:
    assert plan((), applied={"portal": Applied(manifest(), {}, enabled=False)}) == ()


def test_apply_never_wakes_a_client_that_was_switched_off() -> None:
    change = one(manifest(), manifest(), enabled=False)
    assert (change.kind, change.asleep) == (Kind.UNCHANGED, True)


def test_differences_are_named_key_by_key() -> None:
    change = one(manifest(name="Before"), manifest(name="After"), **{"faqs.en.md": "text"})
    assert change.kind is Kind.CHANGED
    said = {each.key: (each.before, each.after) for each in change.differences}
    assert said == {"name": ("Before", "After"), "texts.faqs.en.md": (None, "4 characters")}


def test_AU_06_differences_mask_tins_and_keys() -> None:
    before = manifest(partner=True, registration=PARTNER)
    approved = PARTNER["approved_for"] | {"tins": ["987654321"]}
    keys = {"jwks_uri": None, "jwks": {"keys": [{"kty": "oct", "k": "CNRY"}]}}
    after = manifest(partner=True, registration=PARTNER | keys | {"approved_for": approved})
    said = {each.key: (each.before, each.after) for each in one(before, after).differences}
    assert said["registration.approved_for.tins[0]"] == ("**-***6789", "**-***4321")
    assert said["registration.jwks.keys"] == (None, "a key set")


@pytest.mark.parametrize(
    ("registration", "reason"),
    [
        ({"token_endpoint_auth_method": "client_secret_post"}, "authentication method"),
        ({"redirect_uris": ["/other"]}, "redirect URI"),
        ({"scope": "openid profile"}, "scope is gone"),
        ({"grant_types": ["authorization_code"]}, "grant is gone"),
        ({"subject_type": "pairwise"}, "subjects changed"),
        ({"first_party": False}, "trusted less"),
    ],
)
def test_whatever_takes_a_right_away_ends_what_was_issued(registration: dict[str, Any], reason: str) -> None:
    assert reason in (narrowed(manifest(), manifest(registration=registration)) or "lives on")


def test_another_address_or_registry_ends_what_was_issued() -> None:
    assert narrowed(manifest(), manifest(base_url="https://elsewhere.test")) == "a redirect URI is gone"
    assert narrowed(manifest(), manifest(portal={"registry": "heartland"})) == "its registry changed"
    assert narrowed(manifest(), manifest(partner=True, registration={"first_party": True})) == "its registry changed"
    assert narrowed(manifest(registration={"ssn_tins": True}), manifest()) == "it is trusted less"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"approved_for": {"registry": "ozark", "provider_ids": ["123456"]}}, "approved for less"),
        ({"approved_for": {"registry": "heartland", "provider_ids": ["123456"], "tins": ["123456789"]}}, "less"),
        ({"resources": ["https://api.test/"]}, "resource is gone"),
    ],
)
def test_a_partner_approved_for_less_starts_anew(changed: dict[str, Any], reason: str) -> None:
    before = manifest(partner=True, registration=PARTNER)
    after = manifest(partner=True, registration=PARTNER | changed)
    assert reason in (narrowed(before, after) or "lives on")


@pytest.mark.parametrize(
    "registration",
    [
        {"redirect_uris": ["/callback", "/second"]},
        {"scope": "openid profile email provider_id tin entitlements offline_access phone"},
        {"jwks_uri": "https://partner.test/new-keys"},
        {"id_token_claims": ["npi"]},
        {"ssn_tins": True},
    ],
)
def test_what_adds_or_rotates_lets_it_live(registration: dict[str, Any]) -> None:
    assert narrowed(manifest(), manifest(registration=registration)) is None


def test_looks_and_words_let_it_live() -> None:
    assert narrowed(manifest(), manifest(name="Other", help={"phone": "1-800-555-0101"})) is None
