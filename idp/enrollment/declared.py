"""What a step says of itself: its options in a manifest, what it needs before it, and what it leaves behind. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import Field

from idp.relying_parties.manifest import Localized, Manifest, Part


class Thing(StrEnum):
    """What a step may leave behind for later ones."""

    CREDENTIALS = "credentials"
    """A login and a password were typed; they are nobody's yet."""
    MAILBOX = "mailbox"
    """The mailbox was proven: there is an account, and its person is signed in."""
    COVERAGE = "coverage"
    """Program and state to look for providers in."""
    PROVIDER = "provider"
    """One provider record was picked; nothing is proven by that."""
    TARGET = "target"
    """For whom the person may act, with its evidence."""
    REQUEST = "request"
    """Who asks whom for access, and why."""


class StepOptions(Part):
    """What every step can be told by a manifest: its own words."""

    title: Localized | None = None
    intro: Localized | None = None
    button: Localized | None = None
    """The page's main button; of several steps on one page the last that says one."""
    back_to_sign_in: bool = False
    """The way out of the first page is *Back to sign in* (C1) instead of *Cancel*."""
    labels: dict[str, Localized] = Field(default_factory=dict)
    """Field name → label, where the portal words it differently."""


def nothing_wrong(manifest: Manifest, options: Any) -> Iterable[tuple[str, str]]:
    """For steps that need nothing of the manifest's other tables."""
    return ()


@dataclass(frozen=True, slots=True)
class Declared:
    """One kind of step."""

    name: str
    options: type[StepOptions] = StepOptions
    needs: frozenset[Thing] = frozenset()
    """Each must have been left by an earlier step, or one on the same page."""
    gives: frozenset[Thing] = frozenset()
    after: str = ""
    """In words, why it cannot stand earlier: for whoever plans a manifest."""
    numbered: bool = True
    """Counts in "Step 1 of 2"; what only informs or waits does not."""
    alone: bool = False
    """Has a page to itself."""
    last: bool = False
    """Nothing may follow it."""
    wrong_at: Callable[[Manifest, Any], Iterable[tuple[str, str]]] = nothing_wrong
    """What is wrong with it at this portal: pairs of an option's name (or none) and a reason."""
