"""The bench's own people: each acts for one provider and holds no second factor, so that one password is one sign-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue

from bench.flow import address
from idp.demo.people import DemoAffiliation, DemoPerson
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence

PORTAL = "heartland-selfservice"
PASSWORD = "Copper-bellows-49"
COUNT = 24
MANAGER = "bench.manager"


def everybody() -> tuple[DemoPerson, ...]:
    """Who signs in."""
    return tuple(_person(f"bench.person{number}", Evidence.LETTER) for number in range(COUNT))


def manager() -> DemoPerson:
    """The account manager of the provider that everybody acts for."""
    return _person(MANAGER, Evidence.PAYER, account_manager=True)


def _person(user_id: str, evidence: Evidence, *, account_manager: bool = False) -> DemoPerson:
    acts_for = DemoAffiliation(
        registry="heartland",
        kind=TargetKind.PROVIDER,
        id="604417290",
        evidence={PORTAL: evidence},
        levels={PORTAL: ("all",)},
        account_manager=account_manager,
    )
    return DemoPerson(
        user_id=user_id,
        email=f"{user_id}@people.example",
        password=PASSWORD,
        given_name="Bench",
        family_name=user_id.removeprefix("bench."),
        shows="load",
        affiliations=(acts_for,),
    )


@dataclass(frozen=True, slots=True)
class Returning:
    """Somebody who comes back by the browser that they always use: it is known, and nobody is signed in at it.

    Each time from another network, for a network may sign in twenty times a minute.
    """

    login: str
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def headers(self) -> dict[str, str]:
        return address()

    def remember(self, cookies: dict[str, str]) -> None:
        self.cookies.update({name: value for name, value in cookies.items() if "_session" not in name})


class Turns:
    """Nobody signs in twice at once."""

    def __init__(self) -> None:
        self._free: SimpleQueue[Returning] = SimpleQueue()
        for person in everybody():
            self._free.put(Returning(person.user_id))

    @contextmanager
    def somebody(self) -> Iterator[Returning]:
        person = self._free.get()
        try:
            yield person
        finally:
            self._free.put(person)
