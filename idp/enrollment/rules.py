"""Which page of a ceremony is next, and which orders of steps make sense. Facts in, outcome out (DESIGN §4.1–§4.2)."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from idp.enrollment.catalogue import CATALOGUE
from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.enrollment.steps.associate_provider.declared import Options as AssociateOptions
from idp.relying_parties.faults import Fault
from idp.relying_parties.manifest import Ceremony, Localized, Manifest

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*\Z", re.ASCII)
_RESERVED: Final = frozenset({"link", "signed-in", "user-id"})
LINK_STEP: Final = "verify_email"


class Reason(StrEnum):
    """Why an enrollment cannot go on, or a step did not take what was sent."""

    UNKNOWN_RUN = "unknown_run"
    OTHER_BROWSER = "other_browser"
    EXPIRED = "expired"
    FINISHED = "finished"
    NOT_NEXT = "not_next"
    MALFORMED = "malformed"
    DEAD_LINK = "dead_link"


@dataclass(frozen=True, slots=True)
class Use:
    """A step as one ceremony uses it."""

    declared: Declared
    options: StepOptions

    @property
    def name(self) -> str:
        return self.declared.name


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its steps in order, and the last part of its address."""

    uses: tuple[Use, ...]

    @property
    def slug(self) -> str:
        return "-and-".join(use.name.replace("_", "-") for use in self.uses)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(use.name for use in self.uses)

    @property
    def numbered(self) -> bool:
        return any(use.declared.numbered for use in self.uses)

    @property
    def awaits_link(self) -> bool:
        """Its act is the mailed link, opened; the page itself only says so."""
        return LINK_STEP in self.names

    def title(self) -> Localized | None:
        return next((use.options.title for use in self.uses if use.options.title is not None), None)

    def button(self) -> Localized | None:
        return next((use.options.button for use in reversed(self.uses) if use.options.button is not None), None)


@dataclass(frozen=True, slots=True)
class Show:
    """This page is next."""

    page: Page


@dataclass(frozen=True, slots=True)
class SignIn:
    """The account exists and the next page is its person's alone: sign in first."""


@dataclass(frozen=True, slots=True)
class OtherPerson:
    """Somebody else is signed in at this browser."""


@dataclass(frozen=True, slots=True)
class Complete:
    """Every proof was given; at most pages that inform are left."""


Verdict = Show | SignIn | OtherPerson | Complete


def pages_of(ceremony: Ceremony) -> tuple[Page, ...]:
    """The pages of a ceremony that was planned; its options are known to be right."""
    return tuple(
        Page(tuple(_use(name, ceremony) for name in names)) for names in (_names(written) for written in ceremony.steps)
    )


def next_page(
    pages: Sequence[Page], *, done: Collection[str], subject_id: str | None, session_subject: str | None
) -> Verdict:
    """The first page with a step that is not done; after the mailbox's proof only its person may go on."""
    for page in pages:
        if all(name in done or CATALOGUE[name].last for name in page.names):
            continue
        if not page.awaits_link and subject_id is not None and session_subject != subject_id:
            return SignIn() if session_subject is None else OtherPerson()
        return Show(page)
    return Complete()


def may_open(
    pages: Sequence[Page], wanted: Page, *, done: Collection[str], subject_id: str | None, session_subject: str | None
) -> bool:
    """Whether a page may be shown and answered: the next one, or an earlier one up to the last proof of a mailbox."""
    verdict = next_page(pages, done=done, subject_id=subject_id, session_subject=session_subject)
    if not isinstance(verdict, Show):
        return False
    at, here = pages.index(verdict.page), pages.index(wanted)
    if here > at:
        return False
    return here == at or not any(page.awaits_link and LINK_STEP in done for page in pages[here:at])


def before(pages: Sequence[Page], page: Page, *, done: Collection[str]) -> Page | None:
    """The page that *Back* leads to, if there is one that may still be changed."""
    at = pages.index(page)
    if at == 0:
        return None
    earlier = pages[at - 1]
    return None if earlier.awaits_link and LINK_STEP in done else earlier


def undone_by(pages: Sequence[Page], page: Page, *, done: Collection[str]) -> frozenset[str]:
    """Steps that must be passed again when an earlier page is answered anew: all that came after it."""
    later = {name for each in pages[pages.index(page) + 1 :] for name in each.names}
    return frozenset(later & set(done))


def progress(pages: Sequence[Page], page: Page) -> tuple[int, int] | None:
    """`(1, 2)` for "Step 1 of 2"; pages that only inform or wait are not counted."""
    numbered = [each for each in pages if each.numbered]
    return (numbered.index(page) + 1, len(numbered)) if page in numbered else None


def faults(manifest: Manifest) -> Iterator[Fault]:
    """All that is wrong with the ceremonies of a manifest; each fault says where and why."""
    for name, ceremony in manifest.enrollment.items():
        where = ("enrollment", name)
        if not _NAME.match(name) or name in _RESERVED or len(name) > 48:
            yield Fault(where, "is a ceremony's name in lower-case words, and not one of our own addresses")
        wrong = [*_unknown(ceremony), *_wrong_options(ceremony)]
        yield from (Fault((*where, *fault.path), fault.reason) for fault in wrong)
        if not wrong:
            yield from (Fault((*where, *fault.path), fault.reason) for fault in _order(ceremony))
            yield from _of_this_portal(manifest, where, ceremony)


def _names(written: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in written.split("+"))


def _use(name: str, ceremony: Ceremony) -> Use:
    declared = CATALOGUE[name]
    return Use(declared, declared.options.model_validate(ceremony.options.get(name, {})))


def _unknown(ceremony: Ceremony) -> Iterator[Fault]:
    seen: set[str] = set()
    for position, written in enumerate(ceremony.steps):
        for name in _names(written):
            if name not in CATALOGUE:
                yield Fault(("steps", position), f"{name!r} is not a step")
            elif name in seen:
                yield Fault(("steps", position), f"{name} stands twice")
            seen.add(name)
    for name in ceremony.options:
        if name not in seen:
            yield Fault(("options", name), "is not a step of this ceremony")


def _wrong_options(ceremony: Ceremony) -> Iterator[Fault]:
    for name in (name for written in ceremony.steps for name in _names(written) if name in CATALOGUE):
        try:
            CATALOGUE[name].options.model_validate(ceremony.options.get(name, {}))
        except ValidationError as error:
            for each in error.errors(include_input=False, include_url=False):
                message = str(each["msg"]).removeprefix("Value error, ")
                reason = "is not an option of this step" if each["type"] == "extra_forbidden" else message.lower()
                yield Fault(("options", name, *each["loc"]), reason)


def _order(ceremony: Ceremony) -> Iterator[Fault]:
    """Each step after what it needs, and something to gain at the end."""
    given: set[Thing] = set()
    closed = ""
    for position, page in enumerate(pages_of(ceremony)):
        where = ("steps", position)
        here = {thing for use in page.uses for thing in use.declared.gives}
        for use in page.uses:
            if closed:
                yield Fault(where, f"{use.name} stands after {closed}, which ends the ceremony")
            if missing := use.declared.needs - given - here:
                yield Fault(where, f"{use.name} stands too early: {_said(use.declared, missing)}")
            if use.declared.alone and len(page.uses) > 1:
                yield Fault(where, f"{use.name} has a page to itself")
        given |= here
        closed = next((use.name for use in page.uses if use.declared.last), closed)
    yield from _purpose(given)


def _said(declared: Declared, missing: Collection[Thing]) -> str:
    return declared.after or f"nothing before it gives {', '.join(sorted(missing))}"


def _purpose(given: Collection[Thing]) -> Iterator[Fault]:
    if Thing.REQUEST in given:
        return
    if Thing.CREDENTIALS not in given:
        yield Fault(("steps",), "makes no account (create_account) and asks for no access (requestor_details)")
    elif Thing.MAILBOX not in given:
        yield Fault(("steps",), "never proves the mailbox (verify_email), so nothing of it would ever count")
    if Thing.TARGET not in given:
        yield Fault(("steps",), "proves nobody to act for; whoever ends it could do nothing")


def _of_this_portal(manifest: Manifest, where: tuple[str | int, ...], ceremony: Ceremony) -> Iterator[Fault]:
    """What a step needs of the manifest's other tables."""
    names = {name for written in ceremony.steps for name in _names(written)}
    for page in pages_of(ceremony):
        for use in page.uses:
            for option, reason in use.declared.wrong_at(manifest, use.options):
                yield Fault((*where, "options", use.name, option) if option else (*where, "steps"), reason)
    if names and manifest.registration.initiate_login_uri is None:
        yield Fault(where, "ends at registration.initiate_login_uri, which is missing")


def by_slug(pages: Sequence[Page], slug: str) -> Page | None:
    """The page with this address."""
    return next((page for page in pages if page.slug == slug), None)


def step_for_practice(ceremony: Ceremony) -> str | None:
    """The step that proves a practice as a whole; none where a provider is picked before, or a letter is asked."""
    names = {use.name: use.options for page in pages_of(ceremony) for use in page.uses}
    if "claim_practice" in names and "find_provider" not in names:
        return "claim_practice"
    associate = names.get("associate_provider")
    return "associate_provider" if isinstance(associate, AssociateOptions) and associate.group else None


def options_of(pages: Sequence[Page]) -> Mapping[str, StepOptions]:
    """Every step's options by its name."""
    return {use.name: use.options for page in pages for use in page.uses}
