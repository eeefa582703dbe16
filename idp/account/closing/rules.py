"""Whether an account may be closed, and what it hangs on. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from idp.subjects.rules import SubjectFacts, login_key
from idp.vocabulary.refused import Refused

LINK_FOR: Final = timedelta(days=14)
"""How long the mailed link opens a closed account again."""


class Reason(StrEnum):
    """Why the account was not closed, or not opened again."""

    NOT_TYPED = "not_typed"
    LAST_MANAGER = "last_manager"
    STAFF = "staff"
    DEAD_LINK = "dead_link"


@dataclass(frozen=True, slots=True)
class Depends:
    """A provider, practice or partner that would be left without a manager, and who could become one."""

    target: str
    portal: str
    could_take_over: tuple[str, ...]


def what_to_type(subject: SubjectFacts) -> str:
    """What the person types to confirm: what they sign in with."""
    return subject.user_id or subject.email or subject.name


def why_not(subject: SubjectFacts, *, typed: str, depends: Collection[Depends], is_staff: bool) -> Refused | None:
    """`None` where the account may be closed now."""
    if is_staff:
        return Refused(Reason.STAFF)
    if depends:
        return Refused(Reason.LAST_MANAGER)
    wanted = what_to_type(subject)
    same = typed.strip() == wanted or login_key(typed) == login_key(wanted)
    return None if same else Refused(Reason.NOT_TYPED)
