"""For whom a grant acts, read when a token is minted or UserInfo is asked: claims are about now (MODEL §1)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import and_, bindparam, select

from idp.affiliations import service as affiliations
from idp.affiliations.engagements import facts as staffing
from idp.affiliations.models import Affiliation, HeldLevel
from idp.affiliations.narrowing import practices_meant
from idp.affiliations.references import tin_ref
from idp.consent.rules import GrantFacts
from idp.directory import service as directory
from idp.directory.rules import PracticeFacts, ProviderFacts
from idp.foundation import house
from idp.foundation.database import Rows, see_as
from idp.foundation.prepared import prepared
from idp.keyring.service import Keyring
from idp.oidc.scope_table import USERINFO_ONLY, released_by
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.identifiers import TinType
from idp.vocabulary.scopes import Scope

PROVIDERS_TOLD: Final = 200
REPRESENTED_IN_A_TOKEN: Final = 50


@dataclass(frozen=True, slots=True)
class ActingClaims:
    """Everything that could be said about whom a grant acts for, to this client; scopes choose from it."""

    every: dict[str, Any]
    tin_is_ssn: bool = False

    def released(self, scopes: Collection[str], *, in_token: bool) -> dict[str, Any]:
        """What these scopes release; tokens leave the long lists to UserInfo."""
        wanted = released_by(scopes) - (USERINFO_ONLY if in_token else frozenset())
        return {name: value for name, value in self.every.items() if name in wanted}

    def in_id_token(self, scopes: Collection[str], allowed: Collection[str]) -> dict[str, Any]:
        """Only what the registration lists, and never a TIN of type SSN (ruling 19)."""
        told = self.released(scopes, in_token=True)
        return {
            name: value for name, value in told.items() if name in allowed and not (name == "tin" and self.tin_is_ssn)
        }


NOBODY: Final = ActingClaims({})


def read(
    tx: Rows, grant: GrantFacts, *, party: RelyingParty, now: datetime, for_userinfo: bool = False
) -> ActingClaims:
    """The acting claims of a live grant."""
    if grant.affiliation_id is None:
        return NOBODY
    every: dict[str, Any] = {}
    provider, practice = _acted_for(tx, grant)
    if provider is not None:
        every |= _provider(provider)
    if practice is not None:
        every |= tin_claims(practice, party=party)
    if grant.target_kind == TargetKind.TRADING_PARTNER and grant.target_id is not None:
        every |= _trading_partner(tx, grant, grant.target_id, party=party, now=now, whole=for_userinfo)
    if for_userinfo and practice is not None and acts_as_a_whole(grant, party):
        every |= _providers(tx, practice, registry=grant.registry or "", now=now)
    every |= _entitlements(tx, grant, party=party, now=now)
    return ActingClaims(every, practice is not None and practice.tin_type is TinType.SSN)


def _acted_for(tx: Rows, grant: GrantFacts) -> tuple[ProviderFacts | None, PracticeFacts | None]:
    both = directory.provider_with_practice(tx, grant.provider_id) if grant.provider_id is not None else None
    if both is not None and both[1].id == grant.practice_id:
        return both
    practice = directory.practice(tx, grant.practice_id) if grant.practice_id is not None else None
    return both[0] if both is not None else None, practice


def tin_claims(practice: PracticeFacts, *, party: RelyingParty) -> dict[str, Any]:
    """The number itself, or for an SSN at a client not registered for one the `tin_ref` in its place (DESIGN §6)."""
    if practice.tin_type is TinType.SSN and not party.registration.ssn_tins:
        return {"tin_ref": reference(practice.id, party)}
    return {"tin": str(directory.tin_of(practice)), "tin_type": practice.tin_type.value}


def reference(practice_id: UUID, party: RelyingParty) -> str:
    """This practice's `tin_ref` for the client's sector."""
    return tin_ref(practice_id, sector=party.sector, key=house.get(Keyring).index)


def acts_as_a_whole(grant: GrantFacts, party: RelyingParty) -> bool:
    """Whether the grant is for the practice, not for one of its providers (MODEL §1)."""
    terms = affiliations.terms_of(party)
    return grant.target_kind == TargetKind.PRACTICE and terms is not None and TargetKind.PRACTICE in terms.acting_for


def acts_within(tx: Rows, grant: GrantFacts, scope: str, *, party: RelyingParty) -> bool:
    """Whether what the grant acts for lies inside a scope's narrowing (narrowing can only narrow; DESIGN §6)."""
    asked = Scope.parse(scope)
    if asked is None or not asked.narrows:
        return asked is not None
    if asked.provider_ids:
        provider = directory.provider(tx, grant.provider_id) if grant.provider_id is not None else None
        if provider is None or provider.provider_id not in asked.provider_ids:
            return False
    among = {grant.practice_id} if grant.practice_id is not None else set()
    return not asked.tins or bool(practices_meant(tx, asked.tins, among=among, sector=party.sector))


def _provider(provider: ProviderFacts) -> dict[str, Any]:
    return {
        "provider_id": provider.provider_id,
        "npi": provider.npi,
        "provider_type": provider.provider_type,
        "provider_name": provider.name,
    }


def _providers(tx: Rows, practice: PracticeFacts, *, registry: str, now: datetime) -> dict[str, Any]:
    found = directory.providers_of_practice(
        tx, practice_id=practice.id, registry=registry, now=now, limit=PROVIDERS_TOLD + 1
    )
    told = [{"provider_id": each.provider_id, "npi": each.npi, "name": each.name} for each in found[:PROVIDERS_TOLD]]
    claims: dict[str, Any] = {"providers": sorted(told, key=lambda each: each["provider_id"])}
    return claims | ({"providers_more": True} if len(found) > PROVIDERS_TOLD else {})


def _trading_partner(
    tx: Rows, grant: GrantFacts, partner_id: UUID, *, party: RelyingParty, now: datetime, whole: bool
) -> dict[str, Any]:
    partner = directory.trading_partner(tx, partner_id)
    if partner is None:
        return {}
    closed = (
        staffing.closed_to(tx, partner_id=partner_id, affiliation_id=grant.affiliation_id)
        if grant.affiliation_id is not None
        else frozenset()
    )
    limit = None if whole or closed else REPRESENTED_IN_A_TOKEN + 1
    every = directory.engagements(tx, partner_id, now, limit=limit)
    practices = [each.practice.id for each in every if each.practice.id not in closed]
    references = sorted({reference(practice, party) for practice in practices})
    told = references if whole else references[:REPRESENTED_IN_A_TOKEN]
    claims: dict[str, Any] = {
        "trading_partner_id": partner.trading_partner_id,
        "trading_partner_name": partner.name,
        "represents": told,
    }
    return claims | ({"represents_more": True} if len(told) < len(references) else {})


_affiliation, _level = Affiliation.__table__, HeldLevel.__table__
_HELD: Final = prepared(
    select(_affiliation.c.account_manager, _level.c.level)
    .outerjoin(_level, and_(_level.c.affiliation_id == _affiliation.c.id, _level.c.portal == bindparam("portal")))
    .where(_affiliation.c.id == bindparam("affiliation_id"))
    .order_by(_level.c.level)
)


def _entitlements(tx: Rows, grant: GrantFacts, *, party: RelyingParty, now: datetime) -> dict[str, Any]:
    see_as(tx, subject_id=grant.subject_id)
    held = tx.execute(_HELD, {"affiliation_id": grant.affiliation_id, "portal": party.roles_of}).all()
    cap = _cap(tx, grant, now=now)
    return {
        "entitlements": [level for _, level in held if level is not None and (cap is None or level in cap)],
        "affiliation": str(grant.affiliation_id),
        "affiliation_role": "account_manager" if held and held[0].account_manager else "member",
    }


def _cap(tx: Rows, grant: GrantFacts, *, now: datetime) -> Collection[str] | None:
    """What the practice lets a trading partner's staff do at most; `None`: no cap (MODEL §2)."""
    if grant.target_kind != TargetKind.TRADING_PARTNER or grant.practice_id is None or grant.target_id is None:
        return None
    engagement = directory.engagement(tx, grant.target_id, grant.practice_id, now)
    return engagement.levels_cap if engagement is not None else ()
