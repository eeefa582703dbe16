"""Taking a portal's users in: some at a time, each such batch one transaction; the run itself is audited once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO

from sqlalchemy.orm import Session

from idp.affiliations import service as affiliations
from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.password.kdf import Kdf
from idp.directory.imports.files import Lines
from idp.directory.imports.run import Reject
from idp.foundation import house
from idp.foundation.database import new_id, reading, writing
from idp.foundation.origin import Origin
from idp.provisioning.people import taking
from idp.provisioning.people.reading import Entry, Intake, Report, batches, entries
from idp.provisioning.people.rules import COLUMNS, PortalTerms
from idp.provisioning.people.taking import Taking
from idp.relying_parties import service as relying_parties
from idp.subjects import legacy
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused


class _Undone(Exception):
    """What a dry run did is taken back."""


def run_import(
    stream: BinaryIO,
    *,
    name: str,
    answered: bool,
    now: datetime,
    actor: str,
    origin: Origin,
    dry_run: bool = False,
    keep_reject: Callable[[Reject], None] = lambda _reject: None,
) -> Report:
    """Take a file in. Raises `BadFile` where it cannot be read to its end; then nothing is written at all.

    The same file again changes nothing. `answered`: the administrator answers for the mailboxes marked as proven.
    """
    report = Report(dry_run)
    intake = Intake(portals(), report, keep_reject)
    every = entries(Lines(stream, name=name, columns=COLUMNS), intake)
    run = Taking(intake, answered=answered, now=now, actor=actor, origin=origin)
    for batch in batches(every):
        adopted = _adopted(batch, dry_run=dry_run)
        with _transaction(dry_run=dry_run) as tx:
            for entry in batch:
                taking.take(tx, entry, run, digest=adopted.get(entry.person.identity))
    if not dry_run:
        with writing() as tx:
            audit.append(
                tx,
                Event.PEOPLE_IMPORTED,
                now=now,
                actor=actor,
                origin=origin,
                target_kind="people_import",
                target_id=new_id(),
                details=report.as_dict() | {"mailboxes_answered_for": answered},
            )
    return report


def portals() -> Mapping[str, PortalTerms]:
    """What every portal says about access at it."""
    found = {}
    for party in relying_parties.every().values():
        terms = affiliations.terms_of(party) if party.portal is not None else None
        if party.portal is None or terms is None:
            continue
        kinds = terms.acting_for | ({TargetKind.PRACTICE} if TargetKind.PROVIDER in terms.acting_for else set())
        found[party.client_id] = PortalTerms(
            client_id=party.client_id,
            registry=terms.registry,
            kinds=kinds,
            levels={level.key: level.manages for level in party.manifest.levels},
            accepts_for_manager=party.portal.accepts_for_manager,
        )
    return found


def _adopted(batch: Iterable[Entry], *, dry_run: bool) -> dict[tuple[str, str], str]:
    """How the hashes of those who are new will be stored; computed in no transaction."""
    with reading() as tx:
        new = [
            entry.person
            for entry in batch
            if entry.person.password_hash and legacy.owner(tx, portal=entry.person.portal, key=entry.person.key) is None
        ]
    kdf = house.get(Kdf)
    found = {}
    for person in new:
        digest = person.password_hash if dry_run else kdf.adopt(person.password_hash or "")
        if isinstance(digest, Refused):
            raise RuntimeError("a hash that was read is not taken")
        found[person.identity] = digest or ""
    return found


@contextmanager
def _transaction(*, dry_run: bool) -> Iterator[Session]:
    """A write; in a dry run one that is taken back, so that it counts what would be."""
    try:
        with writing() as tx:
            yield tx
            if dry_run:
                raise _Undone
    except _Undone:
        pass
