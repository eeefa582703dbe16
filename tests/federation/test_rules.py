"""What an upstream answer is worth: by the connection's lists alone, never upward."""

from typing import Any

import pytest

from idp.federation import rules
from idp.federation.connections.manifest import Connection
from idp.federation.rules import Reason, Said, UpstreamIdentity, identity_of
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.refused import Refused


def connection(**changed: Any) -> Connection:
    usual: dict[str, Any] = {
        "name": {"en": "Saint Anne", "es": "Santa Ana"},
        "protocol": "oidc",
        "issuer": "https://id.saintanne.example",
        "portals": ["ozark-secure"],
        "home": {"email_domains": ["saintanne.example"]},
        "people": {"create": True, "mailboxes": True},
        "assurance": {"acr": {"urn:two": "aal2"}, "amr": {"otp": "otp"}},
        "oidc": {"client_id": "credence"},
    }
    return Connection.model_validate(usual | changed)


def said(subject: str = "248289", **claims: object) -> UpstreamIdentity:
    found = identity_of("saint-anne", connection(), Said(subject, claims))
    assert isinstance(found, UpstreamIdentity)
    return found


def test_FE_11_claims_and_classes_are_read_by_the_connections_list_alone() -> None:
    claims = {
        "email": "maria@saintanne.example", "email_verified": True, "roles": ["admin"], "tin": "123456789",
        "groups": ["all"], "is_admin": True, "given_name": "Maria",
    }  # fmt: skip
    high = Said("248289", claims, acr="aal3", amr=("mfa", "hwk", "otp"))
    found = identity_of("saint-anne", connection(), high)
    assert isinstance(found, UpstreamIdentity)
    assert (found.acr, found.amr, dict(found.claims)) == (None, (Amr.ONE_TIME_CODE,), {})
    assert rules.classes_of(found) == {Acr.AAL1}
    mapped = identity_of("saint-anne", connection(), Said("248289", {}, acr="urn:two"))
    assert isinstance(mapped, UpstreamIdentity)
    assert rules.classes_of(mapped) == {Acr.AAL1, Acr.AAL2}


@pytest.mark.parametrize(
    ("verified", "email", "proven"),
    [
        (True, "maria@saintanne.example", True),
        ("true", "maria@saintanne.example", False),
        (1, "maria@saintanne.example", False),
        (None, "maria@saintanne.example", False),
        (False, "maria@saintanne.example", False),
        (True, "maria@elsewhere.example", False),
        (True, "maria@saintanne.example.evil.example", False),
        (True, "maria@saintanne.example@evil.example", False),
        (True, "mar\u0456a@saintanne.example", False),
        (True, ["a@saintanne.example", "b@saintanne.example"], False),
    ],
)
def test_FE_01_a_mailbox_is_proven_only_by_true_and_only_in_the_connections_domains(
    verified: object, email: object, proven: bool
) -> None:
    found = said(email=email, email_verified=verified)
    assert rules.proves_mailbox(connection(), found) is proven
    assert not rules.proves_mailbox(connection(people={}), found)


@pytest.mark.parametrize("subject", ["", "x" * 256, "a\x00b", "a\nb"])
def test_a_subject_that_is_none_is_refused(subject: str) -> None:
    assert identity_of("saint-anne", connection(), Said(subject, {})) == Refused(Reason.BAD_SUBJECT)


def test_a_local_factor_is_spared_only_by_word_of_the_connection_and_a_class_above_aal1() -> None:
    spares = connection(assurance={"local_factor": "spare", "acr": {"urn:two": "aal2"}})
    two = identity_of("saint-anne", spares, Said("1", {}, acr="urn:two"))
    one = identity_of("saint-anne", spares, Said("1", {}))
    assert isinstance(two, UpstreamIdentity)
    assert isinstance(one, UpstreamIdentity)
    assert [rules.spares_factor(spares, two), rules.spares_factor(spares, one), rules.spares_factor(connection(), two)] == [
        True, False, False,
    ]  # fmt: skip


def test_the_right_door_is_found_by_the_whole_domain() -> None:
    doors = {"saint-anne": connection(), "hidden": connection(button=False, home={"email_domains": ["payer.example"]})}
    assert rules.door_for(doors, email="Maria@SaintAnne.example", portal="ozark-secure") == "saint-anne"
    assert rules.door_for(doors, email="x@payer.example", portal="ozark-secure") == "hidden"
    assert rules.door_for(doors, email="x@notsaintanne.example", portal="ozark-secure") is None
    assert rules.door_for(doors, email="x@payer.example", portal="another") is None
    assert [name for name, _ in rules.doors(doors, portal="ozark-secure")] == ["saint-anne"]


def test_unlinking_strands_nobody() -> None:
    assert rules.may_unlink(other_links=0, has_password=True, passkeys=0)
    assert rules.may_unlink(other_links=0, has_password=False, passkeys=1)
    assert rules.may_unlink(other_links=1, has_password=False, passkeys=0)
    assert not rules.may_unlink(other_links=0, has_password=False, passkeys=0)
