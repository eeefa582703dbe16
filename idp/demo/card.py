"""What `idp demo` says when everything runs."""

from collections.abc import Sequence
from typing import Final

from idp.demo.clients import PARTNER, DemoClient
from idp.demo.people import DemoPerson
from idp.demo.registering import Sample

SHOWN: Final = ("rosa.delgado", "marcus.oyelaran", "june.harwood", "tomas.varela", "amara.nwosu")
"""Whom the card names; the file has the others."""


def card(
    *,
    issuer: str,
    clients: Sequence[DemoClient],
    people: Sequence[DemoPerson],
    samples: Sequence[Sample],
    people_file: str,
    data: str,
    hospital: str = "",
    hospital_people: Sequence[DemoPerson] = (),
) -> str:
    """Addresses, five people with what each shows, the payer's staff, with what a newcomer registers, and where mails end up."""
    portals = [client for client in clients if client.client_id != PARTNER]
    partner = [client for client in clients if client.client_id == PARTNER]
    width = max(len(client.name) for client in clients)
    shown = [person for name in SHOWN for person in people if person.user_id == name]
    staff = [person for person in people if person.staff]
    names = max((len(person.user_id) for person in (*shown, *staff)), default=0)
    words = max((len(person.password) for person in (*shown, *staff)), default=0)
    lines = [
        "",
        "Credence is running. Everything below is invented; mail and SMS leave this machine for nobody.",
        "",
        f"  {'Provider':<{width}}  {issuer}",
        *(f"  {client.name:<{width}}  {client.base_url}" for client in (*portals, *partner)),
        f"  {'Mails and SMS':<{width}}  {issuer}/dev/outbox",
        f"  {'6-digit codes':<{width}}  {issuer}/dev/codes (or an app with totp_secret of {people_file})",
        "",
        "Sign in at any portal as",
        "",
        *(f"  {person.user_id:<{names}}  {person.password:<{words}}  {person.shows}" for person in shown),
        "",
        f"or, where a portal asks for an e-mail address, as {shown[0].email} and so on." if shown else "",
        "",
        "The payer's staff sign in at the console, with a 6-digit code after the password, as",
        "",
        f"  {issuer}/console/",
        *(f"  {person.user_id:<{names}}  {person.password:<{words}}  {person.shows}" for person in staff),
        "",
        *_at_the_hospital(hospital, hospital_people),
        "or register, with any address that ends in .example; its mails are in the outbox",
        "",
        *_registering(portals, samples),
        "",
        f"{len(people)} people in all: {people_file}. README.md has a walk through what they show.",
        f"Data and logs: {data}. `idp demo --fresh` begins anew. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)


def _registering(portals: Sequence[DemoClient], samples: Sequence[Sample]) -> list[str]:
    """A line for each way in; the portal's port stands before its first one."""
    ways = max((len(sample.way) for sample in samples), default=0)
    lines: list[str] = []
    for client in portals:
        own = [sample for sample in samples if sample.portal == client.client_id]
        for position, sample in enumerate(own):
            port = str(client.port) if position == 0 else ""
            typed = ", ".join(f"{label} {value}" for label, value in sample.fields.items())
            note = f" ({sample.note})" if sample.note else ""
            lines.append(f"  {port:<5}  {sample.way:<{ways}}  {sample.name}: {typed}{note}")
    return lines


def _at_the_hospital(issuer: str, people: Sequence[DemoPerson]) -> list[str]:
    """Who signs in at the hospital's own provider, after *Continue with Saint Anne Hospital*."""
    if not people:
        return []
    names = max(len(person.user_id) for person in people)
    words = max(len(person.password) for person in people)
    return [
        "People of Saint Anne Hospital sign in at CareBridge by their hospital's own provider, with a code after it, as",
        "",
        f"  {issuer}  (6-digit codes: {issuer}/dev/codes)",
        *(f"  {person.user_id:<{names}}  {person.password:<{words}}  {person.shows}" for person in people),
        "",
    ]


def yours(client: DemoClient, *, file: str) -> str:
    """Of a portal that was not started: what one needs to take its place."""
    return (
        f"{client.name} was not started: {client.base_url} is yours. Client ID {client.client_id}, redirect URI "
        f"{client.base_url}/callback, {'private key' if client.by_key else 'secret'} in {file}.\n"
    )
