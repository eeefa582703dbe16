"""Where somebody stands in a ceremony: its pages, their run, what is met already, and what each step may know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.authenticators.upstairs import Upstairs
from idp.enrollment import rules, runs
from idp.enrollment.behaviours import behaviour_of
from idp.enrollment.ceremonies import ceremony_of, is_again
from idp.enrollment.claims import BROUGHT
from idp.enrollment.rules import Page, Use, Verdict
from idp.enrollment.runs import Run
from idp.enrollment.step import At, Step
from idp.foundation import house
from idp.foundation.origin import Origin
from idp.relying_parties.manifest import Ceremony
from idp.relying_parties.rules import RelyingParty
from idp.sessions.rules import SessionFacts
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a ceremony: whose, by which browser, with whom signed in."""

    party: RelyingParty
    ceremony: str
    browser_digest: bytes
    session: SessionFacts | None
    origin: Origin
    now: datetime
    locale: str = "en"
    zoneinfo: str = "UTC"
    run_id: UUID | None = None

    @property
    def pages(self) -> tuple[Page, ...]:
        return rules.pages_of(self.declared)

    @property
    def declared(self) -> Ceremony:
        """As the manifest has it, or its evidence alone."""
        found = ceremony_of(self.party.manifest, self.ceremony)
        if found is None:
            raise ValueError("a visit is to a ceremony that the portal has")
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """How far it has come; `done` includes what a known person need not be asked."""

    visit: Visit
    pages: tuple[Page, ...]
    run: Run | None
    subject: SubjectFacts | None
    signed_in: SubjectFacts | None
    done: frozenset[str] = frozenset()
    spared: bool = False
    """Whether the upstream sign-in of this very person stands in for a factor at this portal."""

    def at(self, use: Use, *, query: Mapping[str, str] | None = None) -> At:
        """What the step of `use` may know."""
        run, visit = self.run, self.visit
        return At(
            party=visit.party,
            ceremony=visit.ceremony,
            options=use.options,
            run_id=run.id if run is not None else None,
            kept=run.kept if run is not None else {},
            typed=run.typed.get(use.name, {}) if run is not None else {},
            subject=self.subject,
            signed_in=self.signed_in,
            origin=visit.origin,
            now=visit.now,
            spared=self.spared,
            locale=visit.locale,
            zoneinfo=visit.zoneinfo,
            query=query or {},
        )

    def verdict(self) -> Verdict:
        """Which page is next."""
        return rules.next_page(
            self.pages, done=self.done, subject_id=self._subject_id, session_subject=self._session_subject
        )

    def may_open(self, page: Page) -> bool:
        """Whether `page` may be shown and answered now."""
        return rules.may_open(
            self.pages, page, done=self.done, subject_id=self._subject_id, session_subject=self._session_subject
        )

    def asked(self, page: Page) -> tuple[tuple[Use, Step], ...]:
        """The steps of a page that this person is asked: whoever is signed in first says whether it is for them."""
        uses = [(use, behaviour_of(use.name)) for use in page.uses]
        open_now = [(use, step) for use, step in uses if use.name not in self._met]
        if self.signed_in is not None and self.subject is None:
            first = [pair for pair in open_now if pair[0].name == "create_account"]
            return tuple(first or open_now)
        return tuple(open_now)

    @property
    def brought(self) -> frozenset[str]:
        """Steps that an upstream provider has answered; nobody is asked them, and nobody can answer them otherwise."""
        kept = self.run.kept if self.run is not None else {}
        return frozenset(name for name, answers in kept.items() if BROUGHT in answers)

    @property
    def is_its_persons(self) -> bool:
        """Whether whoever is signed in here is the person of the run."""
        return self._subject_id is not None and self._subject_id == self._session_subject

    @property
    def _met(self) -> frozenset[str]:
        """Done without having been asked in this run."""
        return self.done - (self.run.done if self.run is not None else frozenset())

    @property
    def _subject_id(self) -> str | None:
        return self.subject.id if self.subject is not None else None

    @property
    def _session_subject(self) -> str | None:
        return self.signed_in.id if self.signed_in is not None else None


def stand(tx: Session, visit: Visit, run: Run | None) -> Place:
    """Read where somebody stands: their run, and what their account already has of what is asked (X4)."""
    pages = visit.pages
    signed_in = subjects.by_id(tx, subject_id=visit.session.subject_id) if visit.session is not None else None
    subject = subjects.by_id(tx, subject_id=run.subject_id) if run is not None and run.subject_id else None
    if is_again(visit.ceremony):  # nobody is signed in: the browser is known by the mailed link, and nothing is met
        return Place(visit, pages, run, subject, subject, run.done if run is not None else frozenset())
    place = Place(visit, pages, run, subject, signed_in, run.done if run is not None else frozenset())
    if subject is None:
        return place
    place = replace(place, spared=_is_spared(tx, place))
    return replace(place, done=place.done | _met(tx, place, pages))


def _is_spared(tx: Session, place: Place) -> bool:
    session = place.visit.session
    if session is None or session.spared_by is None or not place.is_its_persons:
        return False
    return house.get(Upstairs).spares_at(tx, session=session, portal=place.visit.party.roles_of)


def _met(tx: Session, place: Place, pages: Sequence[Page]) -> frozenset[str]:
    return place.brought | frozenset(
        use.name for page in pages for use in page.uses if behaviour_of(use.name).met_by(tx, place.at(use))
    )


def run_of(tx: Session, visit: Visit, *, lock: bool = False) -> Run | None:
    """The run that the address names, if this browser may go on with it; `lock` holds it for the transaction."""
    if visit.run_id is None:
        return None
    find = runs.lock if lock else runs.load
    found = find(tx, visit.run_id, browser_digest=visit.browser_digest, now=visit.now)
    if not isinstance(found, Run) or (found.client_id, found.ceremony) != (visit.party.client_id, visit.ceremony):
        return None
    return found
