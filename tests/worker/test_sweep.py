"""Clearing up: what has gone by goes, what may still be asked about stays."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from idp.directory.models import ImportRun
from idp.foundation import artefacts
from idp.foundation.artefacts import Artefact, Kind
from idp.foundation.database import reading, writing
from idp.foundation.limiter import AttemptBudget, Budget, reserve
from idp.worker.sweep import Batch, batches, sweep
from tests.conftest import Hands
from tests.directory.files import CLINIC_NPI, PERSON_NPI, taken
from tests.factories import Make

pytestmark = pytest.mark.both
MINUTE = timedelta(minutes=1)


def test_a_sweep_of_an_empty_house_clears_nothing(app: Flask, hands: Hands):
    assert set(sweep(now=hands.now).values()) == {0}


def test_no_kind_waits_for_the_backlog_or_the_failure_of_another(
    app: Flask, hands: Hands, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("idp.worker.sweep.sessions.close_dead", broken)
    monkeypatch.setattr("idp.worker.sweep.days.tell_due", lambda tx, **_: 200)
    done = list[Batch]()
    with pytest.raises(ZeroDivisionError):
        for batch in batches(now=hands.now, most=3):
            done.append(batch)
    kinds = [batch.job for batch in done]
    first, rest = kinds[:-2], kinds[-2:]
    assert len(set(first)) == len(first) > 20
    assert first[0] == "sessions_ended"
    assert rest == ["records_turned"] * 2, "its backlog goes on when every kind has had its turn"
    assert {batch.job for batch in done if batch.pause} == {"records_turned"}


def test_expired_rows_go_in_batches_after_their_grace(app: Flask, hands: Hands):
    with writing() as tx:
        for _ in range(7):
            artefacts.issue(tx, kind=Kind.AUTHORIZATION_CODE, now=hands.now, lifetime=MINUTE)
        artefacts.issue(tx, kind=Kind.REFRESH, now=hands.now, lifetime=timedelta(days=90))
        reserve(tx, budget=Budget("b", 5, MINUTE, MINUTE, MINUTE), key="k", now=hands.now)
    assert sweep(now=hands.forward(hours=1))["artefacts"] == 0
    cleared = sweep(now=hands.forward(days=3))
    assert (cleared["artefacts"], cleared["counts"]) == (7, 1)
    with reading() as tx:
        assert [row.kind for row in tx.scalars(select(Artefact))] == [Kind.REFRESH]
        assert tx.scalars(select(AttemptBudget)).all() == []


def test_what_an_import_refused_is_kept_for_ninety_days(app: Flask, now: datetime):
    taken([PERSON_NPI | {"NPI": "1"}, CLINIC_NPI | {"NPI": "2"}], "nppes", now=now)
    made = datetime.now(UTC)
    assert sweep(now=made + timedelta(days=89))["import_rejects"] == 0
    assert sweep(now=made + timedelta(days=91))["import_rejects"] == 2
    with reading() as tx:
        assert tx.execute(select(ImportRun.counts)).scalar_one()["rejected"] == 2


def test_a_session_that_has_gone_idle_is_ended_durably(app: Flask, hands: Hands, make: Make):
    make.session(make.subject(password=None))
    assert sweep(now=hands.now)["sessions_ended"] == 0
    assert sweep(now=hands.forward(hours=13))["sessions_ended"] == 1
    assert sweep(now=hands.now)["sessions_ended"] == 0
