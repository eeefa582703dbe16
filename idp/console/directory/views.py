"""*Directory*: looking up a record; the last imports and what they refused. Importing stays on the command line."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from idp.affiliations.standing.labels import KINDS
from idp.audit import service as audit
from idp.audit.events import Event
from idp.console.directory import facts, words
from idp.console.directory.comments import commented
from idp.console.directory.forms import LookUpForm
from idp.console.directory.people import People, Place, people_of
from idp.console.pages import actor, may, only_a_button, page
from idp.console.registrar.entrance import portals
from idp.directory import service as directory
from idp.directory.imports.run import KEPT_FOR, KEPT_REJECTS
from idp.directory.looking_up import service as looking_up
from idp.directory.words import FAULTS
from idp.foundation import clock, parsing
from idp.foundation.database import reading, writing
from idp.foundation.downloads import download
from idp.foundation.front_door import origin, route_policy
from idp.foundation.parsing import FormErrors
from idp.manage.words import LINES
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.staff import StaffMay

bp = Blueprint("console_directory", __name__, url_prefix="/console/directory")
RUNS = 25
REJECTS = 100
_LONGEST_SEQUENCE = 15
_LONGEST_KEY = 300
_LONGEST_NUMBER = 9
_SENTENCES = {fault.value: sentence for fault, sentence in FAULTS.items()}


@bp.get("")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def index() -> ResponseReturnValue:
    """The look-up, empty."""
    return _index()


@bp.post("")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def found() -> ResponseReturnValue:
    """What a text leads to; posted, so that no number ends up in an address or a log."""
    form = parsing.form(LookUpForm, request.form)
    if isinstance(form, FormErrors):
        if "" in form:
            abort(400)
        return _index(problem=words.PROBLEM), 422
    return _index(form=form)


@bp.get("/providers/<uuid:provider_id>")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def provider(provider_id: UUID) -> ResponseReturnValue:
    """One provider record with its dates."""
    with reading() as tx:
        record = facts.provider(tx, provider_id, before=_before(), after=_after())
        people = _people(tx, provider_id)
    if record is None:
        abort(404)
    invite = _invite(provider_id, TargetKind.PROVIDER, record.provider.registry)
    return _page("provider", record=record, people=people, invite=invite)


@bp.get("/npis/<npi>")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def npi(npi: str) -> ResponseReturnValue:
    """Every record of one NPI, also of one that no roster names; an NPI is public and may stand in an address."""
    with reading() as tx:
        every = facts.every_record(tx, npi, after=_after())
        history = facts.history(tx, npi, _before())
    if every is None:
        abort(404)
    return _page("npi", npi=npi, every=every, history=history)


@bp.get("/practices/<uuid:practice_id>")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def practice(practice_id: UUID) -> ResponseReturnValue:
    """All that shares one TIN."""
    with reading() as tx:
        record = facts.practice(tx, practice_id, before=_before(), after=_after())
        people = _people(tx, practice_id)
    if record is None:
        abort(404)
    invite = _invite(practice_id, TargetKind.PRACTICE, *(each.registry for each in record.providers))
    return _page("practice", record=record, people=people, invite=invite)


@bp.get("/partners/<uuid:partner_id>")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def partner(partner_id: UUID) -> ResponseReturnValue:
    """One trading partner and whom it works for."""
    with reading() as tx:
        record = facts.partner(tx, partner_id, now=clock.now(), after=_after())
        people = _people(tx, partner_id)
    if record is None:
        abort(404)
    invite = _invite(partner_id, TargetKind.TRADING_PARTNER, record[0].registry)
    return _page("partner", partner=record[0], engagements=record[1], more=record[2], people=people, invite=invite)


@bp.get("/people/<uuid:affiliation_id>")
@route_policy(auth="session", staff=StaffMay.READ_PEOPLE)
def person(affiliation_id: UUID) -> ResponseReturnValue:
    """What was done with one person's access and said about it, a page at a time (E9)."""
    with reading() as tx:
        found = commented(tx, affiliation_id, before=_before(), now=clock.now())
    if found is None:
        abort(404)
    there = portals(found.registry, found.kind, now=clock.now())
    labels = {level.key: level.label for party in there for level in party.manifest.levels}
    return _page("person", person=found, lines=LINES, labels=labels, target_kinds=KINDS)


@bp.get("/imports")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def imports() -> ResponseReturnValue:
    """The last imports, a page at a time."""
    before = _uuid(request.args.get("before", ""))
    with reading() as tx:
        runs = looking_up.imports(tx, before=before, limit=RUNS + 1)
    shown = runs[:RUNS]
    more = url_for("console_directory.imports", before=shown[-1].id) if len(runs) > RUNS else None
    first = url_for("console_directory.imports") if before else None
    return _page("imports", runs=shown, formats=words.FORMATS, endings=words.ENDINGS, more=more, first=first)


@bp.get("/imports/<uuid:run_id>")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def import_run(run_id: UUID) -> ResponseReturnValue:
    """One import: how many of each, and the lines that it refused, a page at a time."""
    after = _number("after", longest=_LONGEST_NUMBER) or 0
    with reading() as tx:
        run = looking_up.one_import(tx, run_id)
        rejects = looking_up.rejects(tx, run_id, after=after, limit=REJECTS + 1)
    if run is None:
        abort(404)
    shown = rejects[:REJECTS]
    more = url_for(".import_run", run_id=run_id, after=shown[-1].number) if len(rejects) > REJECTS else None
    return _page(
        "import",
        run=run,
        rejects=shown,
        kept=KEPT_REJECTS,
        days=KEPT_FOR.days,
        more=more,
        first=url_for(".import_run", run_id=run_id) if after else None,
        sentences=_SENTENCES,
        formats=words.FORMATS,
        endings=words.ENDINGS,
        hints=words.ENDING_HINTS,
        counts=words.COUNTS,
    )


@bp.post("/imports/<uuid:run_id>/rejects.csv")
@route_policy(auth="session", staff=StaffMay.READ_DIRECTORY)
def rejects(run_id: UUID) -> ResponseReturnValue:
    """The refused lines kept, as a file: its number and why; what stood in it was never kept. That it was taken is audited."""
    only_a_button()
    with writing() as tx:
        run = looking_up.one_import(tx, run_id)
        if run is None:
            abort(404)
        _audit(tx, Event.REJECTS_EXPORTED, "import_run", run_id, rejected=run.counts.get("rejected", 0))
    return download(looking_up.rejects_csv(run_id), name=f"rejects-{run.started_at.date().isoformat()}.csv")


def _index(*, form: LookUpForm | None = None, problem: object = None) -> str:
    now = clock.now()
    with reading() as tx:
        registries = directory.registries(tx)
        result = None
        if form is not None and form.registry in registries:
            result = facts.search(tx, form.registry, form, now=now)
    if form is not None and result is not None and facts.looks_for_tin(form):
        _tell_tin(form.registry, result)
    return _page(
        "index",
        choices=[(name, name) for name in registries],
        looked_in=list(words.LOOKED_IN.items()),
        asked_programs=list(words.PROGRAMS.items()),
        form=form,
        registry=form.registry if form else request.form.get("registry"),
        result=result,
        problem=problem,
    )


def _tell_tin(registry: str, found: facts.Found) -> None:
    """Who looked for whose tax ID, before they see it; of the number itself nothing."""
    practice = found.practice.id if found.practice else None
    with writing() as tx:
        kind, count = "practice" if practice else None, len(found.of_tin.rows)
        _audit(tx, Event.TIN_LOOKED_FOR, kind, practice, registry=registry, found=count)


def _audit(tx: Session, what: Event, kind: str | None, target_id: UUID | None, **details: object) -> None:
    audit.append(
        tx,
        what,
        now=clock.now(),
        actor=actor(),
        origin=origin(),
        target_kind=kind,
        target_id=target_id,
        details=details,
    )


def _people(tx: Session, target_id: UUID) -> People | None:
    """Who acts for the target: for registrars and auditors only (MODEL §7)."""
    if not may(StaffMay.READ_PEOPLE):
        return None
    return people_of(tx, target_id, search=_search(), place=Place.unpack(request.args.get("people", "")))


def _invite(target_id: UUID, kind: TargetKind, *registries: str) -> list[tuple[str, str]]:
    """Where a registrar may invite people to it: each portal with the page that does."""
    if not may(StaffMay.DECIDE):
        return []
    found = {party.client_id: party for each in set(registries) for party in portals(each, kind, now=clock.now())}
    return [
        (
            found[client_id].manifest.name,
            url_for("console_registrar.invitations", client_id=client_id, target_id=target_id),
        )
        for client_id in sorted(found)
    ]


def _after() -> str:
    """After which row of a record's own list a page begins."""
    text = request.args.get("after", "")[:_LONGEST_KEY]
    return text if parsing.acceptable(text) else ""


def _search() -> str:
    text = request.args.get("person", "")[:80].strip()
    return text if parsing.acceptable(text) else ""


def _page(name: str, **shown: Any) -> str:
    today = clock.now().date()
    return page(
        f"console/directory/{name}.html",
        at="directory",
        today=today,
        kinds=words.KINDS,
        programs=words.PROGRAMS,
        sources=words.source,
        entities=words.ENTITIES,
        words=words,
        began=_before() is not None,
        search=_search(),
        paged=bool(_after()),
        **shown,
    )


def _before() -> int | None:
    """The event before which a page of the history begins; anything else begins at the latest."""
    return _number("before", longest=_LONGEST_SEQUENCE)


def _number(name: str, *, longest: int) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= longest else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text[:36]) if text else None
    except ValueError:
        return None
