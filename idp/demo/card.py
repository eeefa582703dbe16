"""What `idp demo` says when everything runs."""

from collections.abc import Sequence
from typing import Final

from idp.demo.clients import PARTNER, DemoClient
from idp.demo.people import DemoPerson

SHOWN: Final = ("rosa.delgado", "marcus.oyelaran", "june.harwood", "tomas.varela", "amara.nwosu")
"""Whom the card names; the file has the others."""


def card(
    *, issuer: str, clients: Sequence[DemoClient], people: Sequence[DemoPerson], people_file: str, data: str
) -> str:
    """Addresses, five people with what each shows, and where mails end up."""
    portals = [client for client in clients if client.client_id != PARTNER]
    partner = [client for client in clients if client.client_id == PARTNER]
    width = max(len(client.name) for client in clients)
    shown = [person for name in SHOWN for person in people if person.user_id == name]
    names = max((len(person.user_id) for person in shown), default=0)
    words = max((len(person.password) for person in shown), default=0)
    lines = [
        "",
        "Credence is running. Everything below is invented; mail and SMS leave this machine for nobody.",
        "",
        f"  {'Provider':<{width}}  {issuer}",
        *(f"  {client.name:<{width}}  {client.base_url}" for client in (*portals, *partner)),
        f"  {'Mails and SMS':<{width}}  {issuer}/dev/outbox",
        "",
        "Sign in at any portal as",
        "",
        *(f"  {person.user_id:<{names}}  {person.password:<{words}}  {person.shows}" for person in shown),
        "",
        f"or, where a portal asks for an e-mail address, as {shown[0].email} and so on." if shown else "",
        f"{len(people)} people in all: {people_file}. README.md has a walk through what they show.",
        f"Data and logs: {data}. `idp demo --fresh` begins anew. Ctrl-C stops everything.",
        "",
    ]
    return "\n".join(lines)
