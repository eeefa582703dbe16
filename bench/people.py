"""The bench's own people: each acts for one provider and holds no second factor, so that one password is one sign-in."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import LifoQueue

from idp.demo.people import DemoAffiliation, DemoPerson
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.evidence import Evidence

PORTAL = "heartland-selfservice"
PASSWORD = "Copper-bellows-49"
COUNT = 24


def everybody() -> tuple[DemoPerson, ...]:
    """Who signs in."""
    acts_for = DemoAffiliation(
        registry="heartland",
        kind=TargetKind.PROVIDER,
        id="604417290",
        evidence={PORTAL: Evidence.LETTER},
        levels={PORTAL: ("all",)},
    )
    return tuple(
        DemoPerson(
            user_id=f"bench.person{number}",
            email=f"bench.person{number}@people.example",
            password=PASSWORD,
            given_name="Bench",
            family_name=f"Person {number}",
            shows="load",
            affiliations=(acts_for,),
        )
        for number in range(COUNT)
    )


class Turns:
    """Nobody signs in twice at once."""

    def __init__(self) -> None:
        self._free: LifoQueue[str] = LifoQueue()
        for person in everybody():
            self._free.put(person.user_id)

    @contextmanager
    def somebody(self) -> Iterator[str]:
        login = self._free.get()
        try:
            yield login
        finally:
            self._free.put(login)
