"""The contract between the engine and a step. A step is asked in this order, and never knows what follows it.

`form` → (posted) → `check` (pure) → `reserve` (first transaction: attempts are counted) → `prepare` (no transaction:
hashing) → `settle` (second transaction: takes or refuses, changes nothing that anybody owns) → at the last proof, in
the one transaction where everything happens: `proof`, then `complete`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from flask_babel import LazyString
from flask_babel import lazy_gettext as _
from sqlalchemy.orm import Session

from idp.enrollment.declared import Declared
from idp.foundation.origin import Origin
from idp.foundation.parsing import Form
from idp.relying_parties.rules import RelyingParty
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused

FILL_IN = _("Fill in this field.")
TOO_LONG = _("This is longer than we can take.")
CHOOSE_ONE = _("Choose one of these.")
TOO_MANY = _("There were too many attempts. Please wait a while, or call the help line.")


@dataclass(frozen=True, slots=True)
class At:
    """Where a step stands: whose ceremony, what was answered so far, who is there."""

    party: RelyingParty
    ceremony: str
    options: Any
    """This step's own, validated."""
    run_id: UUID | None
    """`None` on the first page, before anything was sent."""
    kept: Mapping[str, Mapping[str, Any]]
    """What each step that is done has kept, by its name."""
    typed: Mapping[str, str]
    """What was typed into this step's fields before, secrets excepted."""
    subject: SubjectFacts | None
    """The account that this enrollment is for, once it is known."""
    signed_in: SubjectFacts | None
    """Who is signed in at this browser."""
    origin: Origin
    now: datetime
    spared: bool = False
    """Whether its person signed in by a provider whose connection asks for no factor of ours beside its own."""
    locale: str = "en"
    zoneinfo: str = "UTC"
    query: Mapping[str, str] = field(default_factory=dict)
    """The page's query: a search, a place in a list."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The step took it. `answers` is JSON, sealed until the end; plain secrets never stand in it, digests may."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    subject_id: str | None = None
    """The enrollment is for this account from now on."""
    done: bool = True
    """`False`: taken, and the page is asked again (for what is still missing)."""
    elsewhere: str | None = None
    """Another ceremony of this portal was chosen."""
    ends: bool = False
    """Nothing more is asked: the ceremony ends here (a request was sent instead)."""


@dataclass(frozen=True, slots=True)
class Wrong(Refused):
    """The step did not take it; the audit keeps `reason`, people read the sentences."""

    errors: Mapping[str, LazyString] = field(default_factory=dict)
    """Beside fields."""
    problem: LazyString | None = None
    """For the form as a whole; a mismatch never says which field."""
    show: Mapping[str, Any] = field(default_factory=dict)
    """More for this step's template."""
    audited: bool = True
    """`False` where nothing was refused, only answered (*Check Availability*)."""


class Nothing(Form):
    """A step without fields."""


class Step:
    """One kind of step. Subclasses override what they need."""

    declared: ClassVar[Declared]
    secrets: ClassVar[frozenset[str]] = frozenset()
    """Fields that are never shown again, nor kept as typed."""
    questions: ClassVar[frozenset[str]] = frozenset()
    """Buttons that only ask something (*Check Availability*, a search): the page is shown again with the answer."""
    sentences: ClassVar[Mapping[str, LazyString]] = {}
    """What is said beside a field that could not be read; others say *Fill in this field*."""

    @property
    def template(self) -> str:
        return f"enrollment/steps/{self.declared.name}.html"

    def sentence(self, refused: Refused) -> LazyString:
        """What people read when an attempt was one too many."""
        return TOO_MANY

    def form(self, at: At) -> type[Form]:
        """The fields to be posted; names are unique on a page."""
        return Nothing

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        """What else its template needs; read only."""
        return {}

    def answer(self, tx: Session, question: str, sent: Mapping[str, str], at: At) -> Mapping[str, Any]:
        """What a question's button shows, added to `shown`; read only."""
        return {}

    def met_by(self, tx: Session, at: At) -> bool:
        """Whether a person whose account is known (`at.subject`) need not be asked this at all (X4)."""
        return False

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        """What is wrong by itself, beside which field."""
        return {}

    def reserve(self, tx: Session, form: Any, at: At) -> Refused | None:
        """Count an attempt before anything is compared (D7); refused means: too many, by `Wrong` or a plain reason."""
        return None

    def prepare(self, form: Any, at: At) -> Any:
        """Slow work, in no transaction; `Refused(BUSY)` answers 503."""
        return None

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        """Take what was sent, or say what is wrong. Writes nothing but what limits and audits it."""
        return Kept()

    def proof(self, at: At) -> Any:
        """For whom this step has proven the person may act, as `affiliations.registering` takes it; else `None`."""
        return None

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        """The last proof was given: let what was kept happen. A refusal undoes everything in this transaction."""
        return None
