"""`idp people invite`: an operator invites somebody in the payer's name, where nobody manages yet (MODEL §7)."""

import json
import sys
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NoReturn
from uuid import UUID

import click
from flask.cli import with_appcontext
from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.affiliations.authority import ActedOn, authorize_operator
from idp.affiliations.deciding.rules import Reason as ActReason
from idp.affiliations.invitations import inviting
from idp.affiliations.invitations.rules import Reason
from idp.affiliations.managers.facts import Pointed, point_at
from idp.affiliations.rules import PortalTerms, serves
from idp.directory import service as directory
from idp.foundation import clock
from idp.foundation.database import writing
from idp.foundation.origin import Origin
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

_OPTIONS: Final = {
    TargetKind.PROVIDER: "provider",
    TargetKind.PRACTICE: "tin",
    TargetKind.TRADING_PARTNER: "trading_partner",
}
_WRONG: Final[dict[StrEnum, str]] = {
    Reason.BAD_EMAIL: "--email takes an address such as name@example.com",
    Reason.TOO_LONG: "a name has at most 80 characters, the reason 200",
    ActReason.NO_REASON: "--reason says why, for the audit",
}
_REFUSED: Final[dict[StrEnum, str]] = {
    Reason.ALREADY_HELD: "This person is on its list already.",
    Reason.TOO_MANY: "Too many invitations have been sent; try again later.",
    ActReason.HAS_A_MANAGER: "It has an account manager, who invites people at /manage/.",
    ActReason.NOT_PROVEN: "At this portal the payer's word makes nobody an account manager.",
}


class Unusable(click.ClickException):
    """One line on standard error, exit code 2."""

    exit_code = 2


@click.group()
def people() -> None:
    """People and their accounts."""


@people.command()
@click.option("--email", required=True, help="Where the invitation goes.")
@click.option("--given-name", required=True, help="First name.")
@click.option("--family-name", required=True, help="Last name.")
@click.option("--portal", required=True, help="The client_id of the portal that they are invited to.")
@click.option("--provider", metavar="ID", help="Of a provider, by the payer's number.")
@click.option("--tin", help="Of a practice, by its Tax ID; - reads it from standard input.")
@click.option("--trading-partner", metavar="ID", help="Of a trading partner, by its number.")
@click.option("--level", "levels", multiple=True, required=True, help="What they may do there; as often as wanted.")
@click.option("--reason", required=True, help="Why, for the audit.")
@click.option("--locale", type=click.Choice(["en", "es"]), default="en", show_default=True, help="Of the mail.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@with_appcontext
def invite(*, portal: str, levels: tuple[str, ...], reason: str, as_json: bool, **given: Any) -> None:
    """Invite somebody by mail to act for one provider, practice or trading partner that nobody manages.

    The link is good for seven days. Exit code 1: refused, and why; 2: there is no such portal, target or level.
    """
    kind, number = _named({kind: given.pop(option) for kind, option in _OPTIONS.items()})
    now = clock.now()
    with writing() as tx:
        party, terms = _portal(portal)
        _check(levels, party)
        target = _target(tx, kind, number, terms=terms, now=now)
        outcome = inviting.invite(
            tx,
            acting=authorize_operator(ActedOn(target.registry, target.kind, target.id, target.practice_id), now=now),
            party=party,
            levels=tuple(dict.fromkeys(levels)),
            why=reason,
            now=now,
            origin=Origin.local("cli"),
            **given,
        )
    if isinstance(outcome, Refused):
        _refuse(outcome, as_json=as_json)
    told = {"invitation": str(outcome), "to": given["email"], "for": target.name, "portal": portal}
    click.echo(json.dumps(told) if as_json else f"Invited {given['email']} to act for {target.name} at {portal}.")


def _named(numbers: dict[TargetKind, str | None]) -> tuple[TargetKind, str]:
    """The one that was given; a Tax ID need not stand in the shell's history and the list of processes."""
    given = [(kind, number) for kind, number in numbers.items() if number is not None]
    if len(given) != 1:
        raise Unusable("name one of --provider, --tin and --trading-partner")
    kind, number = given[0]
    return (kind, sys.stdin.readline().strip()) if number == "-" and kind is TargetKind.PRACTICE else (kind, number)


def _portal(client_id: str) -> tuple[RelyingParty, PortalTerms]:
    party = relying_parties.find(client_id)
    terms = affiliations.terms_of(party) if party is not None and party.portal is not None and party.enabled else None
    if party is None or terms is None:
        raise Unusable(f"there is no portal {client_id}; idp relying-parties plan names them")
    return party, terms


def _target(tx: Session, kind: TargetKind, number: str, *, terms: PortalTerms, now: datetime) -> Pointed:
    """Whom the number means in the portal's registry; for who is not in force there nobody can act."""
    if not serves(kind, terms):
        raise Unusable(f"{terms.client_id} acts for no {_spoken(kind)}")
    identity = _identity(tx, kind, number, registry=terms.registry)
    target = None if identity is None else point_at(tx, registry=terms.registry, kind=kind, target_id=identity, now=now)
    if target is None or not target.in_force:
        raise Unusable(f"{terms.registry} lists no {_spoken(kind)} in force by that number")
    return target


def _identity(tx: Session, kind: TargetKind, number: str, *, registry: str) -> UUID | None:
    match kind:
        case TargetKind.PROVIDER:
            provider = directory.provider_by_number(tx, registry=registry, provider_id=number)
            return None if provider is None else provider.id
        case TargetKind.PRACTICE:
            practice = directory.practice_by_tin(tx, number)
            return None if practice is None else practice.id
        case TargetKind.TRADING_PARTNER:
            partner = directory.trading_partner_by_number(tx, registry=registry, trading_partner_id=number)
            return None if partner is None else partner.id


def _spoken(kind: TargetKind) -> str:
    return kind.value.replace("_", " ")


def _check(levels: tuple[str, ...], party: RelyingParty) -> None:
    known = [level.key for level in party.manifest.levels]
    if unknown := sorted(set(levels) - set(known)):
        raise Unusable(f"{party.client_id} has no level {', '.join(unknown)}; its levels are {', '.join(known)}")


def _refuse(refused: Refused, *, as_json: bool) -> NoReturn:
    """One line (or object) that says why; exit code 2 for what was typed wrong, else 1."""
    if (wrong := _WRONG.get(refused.reason)) is not None:
        raise Unusable(wrong)
    sentence = _REFUSED.get(refused.reason, refused.reason.value)
    click.echo(json.dumps({"refused": refused.reason.value}) if as_json else sentence, err=not as_json)
    raise click.exceptions.Exit(1)
