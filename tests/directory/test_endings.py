"""How an import ends: a file cut short ends nothing, and the run says what stopped it, where and when."""

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.directory.imports import service as imports
from idp.directory.imports.files import BadFile
from idp.directory.imports.provider_master import ProviderMaster
from idp.directory.imports.run import Declined
from idp.directory.models import Engagement, ImportRun, PinLetter, Provider
from idp.foundation.database import reading
from idp.foundation.origin import Origin
from tests.conftest import Hands
from tests.directory.files import CLINIC_NPI, GROUP, LETTER, MEMBER, PARTNER, PERSON_NPI, PRACTITIONER, taken, written
from tests.directory.npi.test_import import bundle, practitioner

pytestmark = pytest.mark.both
BOTH_TINS = PARTNER | {"tins_represented": "666025841;079990001"}


@pytest.fixture(autouse=True)
def house_is_open(app: object) -> None:
    """Every test here needs the application."""


def last_run() -> tuple[str | None, int | None, bool]:
    """Of the last import: how it ended, at which line, and whether the audit says the same."""
    with reading() as tx:
        run = tx.execute(select(ImportRun).order_by(ImportRun.id.desc()).limit(1)).scalar_one()
        query = select(AuditEvent).where(AuditEvent.target_id == str(run.id), AuditEvent.type == "directory_imported")
        told = tx.execute(query).scalars().all()
    same = [(each.outcome, each.details.get("stopped_line")) for each in told]
    return (
        run.outcome,
        run.stopped_line,
        same == [("ok" if run.outcome == "completed" else run.outcome, run.stopped_line)],
    )


WHOLE = {
    "provider-master": written("provider-master", [GROUP, PRACTITIONER | {"end_date": "2036-01-01"}]),
    "trading-partners": written("trading-partners", [BOTH_TINS]),
    "pin-letters": written("pin-letters", [LETTER | {"used_on": "2026-02-03"}]),
    "nppes": written("nppes", [CLINIC_NPI, PERSON_NPI]),
    "fhir": bundle(practitioner(), practitioner("1982607537")),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_cut_short_anywhere_in_its_last_line_is_refused(kind: str, now: datetime):
    taken([GROUP, PRACTITIONER], now=now)
    content = WHOLE[kind]
    for cut in range(1, 24):
        with pytest.raises(BadFile, match=r"ends (without a line end|in the middle)"):
            taken(content[:-cut], kind, now=now, dry_run=True)
    if kind != "fhir":
        taken(content[:-1] + b"\r\n", kind, now=now, dry_run=True)
    taken(content, kind, now=now, dry_run=True)


def test_a_cut_file_uses_no_letter_up_and_ends_no_engagement_and_nobody_who_left_a_full_one(now: datetime, tx: Session):
    taken([GROUP, PRACTITIONER], now=now)
    taken([BOTH_TINS], "trading-partners", now=now)
    asked: list[Any] = []
    used = written("pin-letters", [LETTER | {"used_on": "2026-02-03"}])
    for kind, content, cut in (
        ("pin-letters", used, 11),
        ("trading-partners", WHOLE["trading-partners"], 11),
        ("provider-master", written("provider-master", [GROUP]), 1),
    ):
        with pytest.raises(BadFile, match="line 2: the file ends without a line end"):
            taken(content[:-cut], kind, now=now, full=lambda *counts: bool(asked.append(counts)) or True)
        assert last_run() == ("bad_file", 2, True)
    assert asked == []
    assert tx.execute(select(PinLetter)).all() == []
    assert set(tx.execute(select(Provider.status)).scalars()) == {"active"}
    assert list(tx.execute(select(Engagement.ends_on)).scalars()) == [None, None]


STOPS: dict[str, tuple[BaseException | bool, tuple[str, int | None]]] = {
    "yes": (True, ("completed", None)),
    "no": (False, ("declined", None)),
    "not asked": (Declined("no terminal"), ("declined", None)),
    "Ctrl-C": (KeyboardInterrupt(), ("interrupted", 2)),
    "a clash": (IntegrityError("x", None, Exception()), ("failed", 2)),
    "no database": (OperationalError("x", None, Exception()), ("failed", 2)),
    "a full disk": (OSError(28, "No space left on device"), ("failed", 2)),
}


@pytest.mark.parametrize("name", STOPS)
def test_a_run_and_its_audit_event_say_what_stopped_it(name: str, now: datetime):
    answer, told = STOPS[name]

    def confirm(_leaving: int, _listed: int, _nameless: int) -> bool:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    taken([GROUP, PRACTITIONER], now=now)
    assert last_run() == ("completed", None, True)
    if answer is True:
        taken([GROUP], now=now, full=confirm)
    else:
        with pytest.raises(type(answer) if isinstance(answer, BaseException) else Declined):
            taken([GROUP], now=now, full=confirm)
    assert last_run() == (*told, True)


def test_a_batch_that_fails_says_the_line_and_counts_what_was_kept(now: datetime, monkeypatch: pytest.MonkeyPatch):
    take, batches = ProviderMaster.take, []

    def failing(*given: Any) -> None:
        take(*given)
        batches.append(given)
        if len(batches) == 2:
            raise OperationalError("x", None, Exception())

    monkeypatch.setattr(imports, "BATCH", 2)
    monkeypatch.setattr(ProviderMaster, "take", failing)
    with pytest.raises(OperationalError):
        taken([GROUP | {"provider_id": f"{number:06}"} for number in range(5)], now=now)
    assert last_run() == ("failed", 5, True)
    with reading() as tx:
        assert tx.execute(select(ImportRun.counts)).scalar_one()["added"] == 2


def test_where_even_the_ending_cannot_be_written_the_first_error_is_raised(
    now: datetime, monkeypatch: pytest.MonkeyPatch
):
    def away(*_given: Any) -> None:
        raise OperationalError("away", None, Exception())

    monkeypatch.setattr(imports, "_keep", away)
    with pytest.raises(BadFile, match="line 1"):
        taken(b"no header\n", now=now)
    assert last_run() == (None, None, False)


class Slow(io.BytesIO):
    """A file of which every line takes a minute."""

    def __init__(self, content: bytes, forward: Callable[..., object]) -> None:
        super().__init__(content)
        self._forward = forward

    def readline(self, *given: Any) -> bytes:
        self._forward(minutes=1)
        return super().readline(*given)


def test_MODEL_10_each_batch_has_its_own_moment_and_the_end_is_the_end(
    hands: Hands, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    """Who was given access while the file was read was given it before the number moved: not after."""
    taken([PRACTITIONER, MEMBER], now=now)
    monkeypatch.setattr(imports, "BATCH", 1)
    moved = [PRACTITIONER | {"tin": "666025842"}, MEMBER | {"group_tin": "079990002"}]
    file = Slow(written("provider-master", moved), hands.forward)
    imports.run_import(
        file, name="x", format_name="provider-master", registry="ozark", now=now, actor="system",
        origin=Origin.local("test"),
    )  # fmt: skip
    minutes = [now + timedelta(minutes=each) for each in range(10)]
    with reading() as tx:
        stamps = tx.execute(select(Provider.tin_changed_at, Provider.joined_at, Provider.updated_at)).all()
        run = tx.execute(select(ImportRun).order_by(ImportRun.id.desc()).limit(1)).scalar_one()
        events = list(tx.execute(select(AuditEvent.at).where(AuditEvent.type == "provider_changed")).scalars())
    assert sorted(map(tuple, stamps)) == [(minutes[2],) * 3, (minutes[3],) * 3]
    assert sorted(events) == minutes[2:4]
    assert (run.started_at, run.finished_at) == (now, minutes[4])
