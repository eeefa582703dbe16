"""Affiliations and portals for the rules, made in one line each."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from idp.affiliations.rules import Held, PortalTerms, ProviderChoice, Target
from idp.vocabulary.affiliation import AffiliationStatus, TargetKind
from idp.vocabulary.evidence import Evidence

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DORMANCY = timedelta(days=90)
PRACTICE = UUID(int=500)


def record(number: int, kind: str = "practitioner", **changed: Any) -> ProviderChoice:
    values: dict[str, Any] = {
        "id": UUID(int=number),
        "provider_id": f"{1000 + number}",
        "npi": "1234567893",
        "provider_type": kind,
        "name": f"Provider {number:02}",
        "practice_id": PRACTICE,
    }
    return ProviderChoice(**(values | changed))


def provider(number: int = 1, **changed: Any) -> Target:
    values: dict[str, Any] = {
        "kind": TargetKind.PROVIDER, "id": UUID(int=number), "name": f"Provider {number:02}", "in_force": True,
        "practice_id": PRACTICE, "tin_masked": "**-***1234", "providers": (record(number),),
    }  # fmt: skip
    return Target(**(values | changed))


def practice(*providers: ProviderChoice, **changed: Any) -> Target:
    values: dict[str, Any] = {
        "kind": TargetKind.PRACTICE, "id": PRACTICE, "name": "Juniper Ridge Clinic", "in_force": True,
        "practice_id": PRACTICE, "tin_masked": "**-***1234", "providers": providers,
    }  # fmt: skip
    return Target(**(values | changed))


def partner() -> Target:
    return Target(TargetKind.TRADING_PARTNER, UUID(int=900), "Lantern Billing", True, trading_partner_id="TP000001")


def held(target: Target | None = None, **changed: Any) -> Held:
    values: dict[str, Any] = {
        "id": UUID(int=77), "registry": "heartland", "target": target or provider(),
        "status": AffiliationStatus.ACTIVE, "starts_at": NOW - timedelta(days=30), "epoch": 1,
        "used_at": NOW - timedelta(days=1), "evidence": (Evidence.LETTER,), "levels": {"portal": ("claims",)},
    }  # fmt: skip
    changed.setdefault("last_used_at", changed.get("used_at", values["used_at"]))
    return Held(**(values | changed))


def terms(*kinds: TargetKind, **changed: Any) -> PortalTerms:
    values: dict[str, Any] = {
        "client_id": "portal", "registry": "heartland",
        "acting_for": frozenset(kinds or {TargetKind.PROVIDER}), "accepts": Evidence.LETTER,
    }  # fmt: skip
    return PortalTerms(**(values | changed))
