"""Events in the database: chained, in the transaction of what they tell, on both databases."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from idp.audit import service
from idp.audit.cli import audit as command
from idp.audit.events import Event
from idp.audit.exported import read_heads, write_heads
from idp.audit.models import AuditEvent
from idp.audit.rules import STREAMS, BadRow
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin

pytestmark = pytest.mark.both
HERE = Origin("192.0.2.7", "request-1", "Browser", "0123456789abcdef")


def tell(now: datetime, **changed: object) -> None:
    with writing() as tx:
        add(tx, now, **changed)


def add(tx: object, now: datetime, **changed: object) -> None:
    usual = {"actor": "person", "origin": HERE, "subject_id": "person"}
    service.append(tx, Event.SIGNED_IN, now=now, **(usual | changed))  # type: ignore[arg-type]


def verified(**more: object) -> list[BadRow]:
    with reading() as tx:
        return service.verify(tx, **more)  # type: ignore[arg-type]


def rows() -> list[AuditEvent]:
    with reading() as tx:
        return list(tx.scalars(select(AuditEvent).order_by(AuditEvent.stream, AuditEvent.sequence)))


def test_AU_06_an_event_says_who_for_whom_what_and_from_where(app: Flask, now: datetime):
    tell(now, target_kind="practice", target_id="p1", client_id="portal", details={"levels": ["claims.inquiry"]})
    (row,) = rows()
    assert (row.actor, row.subject_id, row.client_id, row.target_kind, row.target_id) == (
        "person", "person", "portal", "practice", "p1",
    )  # fmt: skip
    assert (row.at, row.type, row.outcome, row.address) == (now, "signed_in", "ok", "192.0.2.7")
    assert (row.session_digest, row.request_id) == ("0123456789abcdef", "request-1")
    assert row.details == {"levels": ["claims.inquiry"]}


def test_events_of_one_transaction_are_chained_in_their_order(app: Flask, now: datetime):
    with writing() as tx:
        for number in range(5):
            add(tx, now, details={"number": number})
    assert [row.sequence for row in rows()] == [1, 2, 3, 4, 5]
    assert [row.details["number"] for row in rows()] == [0, 1, 2, 3, 4]
    assert verified() == []


def test_an_event_goes_with_its_transaction(app: Flask, now: datetime):
    with pytest.raises(RuntimeError), writing() as tx:
        add(tx, now)
        raise RuntimeError
    assert rows() == []
    tell(now)
    assert [row.sequence for row in rows()] == [1]


def test_an_event_goes_with_its_savepoint_and_no_other(app: Flask, now: datetime):
    with writing() as tx:
        add(tx, now, details={"kept": 1})
        with pytest.raises(RuntimeError), tx.begin_nested():
            add(tx, now, details={"gone": 1})
            with tx.begin_nested():
                add(tx, now, details={"gone": 2})
            raise RuntimeError
        with tx.begin_nested():
            add(tx, now, details={"kept": 2})
    assert [row.details for row in rows()] == [{"kept": 1}, {"kept": 2}]
    assert verified() == []


def test_AU_11_order_is_by_number_however_the_clocks_of_the_nodes_stand(app: Flask, now: datetime):
    for minutes in (0, -30, 5, -5):
        tell(now + timedelta(minutes=minutes), details={"minutes": minutes})
    assert [row.details["minutes"] for row in rows()] == [0, -30, 5, -5]
    assert verified() == []


def test_parallel_transactions_over_several_streams_neither_tear_the_chain_nor_lock_each_other(
    app: Flask, now: datetime
):
    start = threading.Barrier(8)
    failures: list[BaseException] = []

    def act(number: int) -> None:
        try:
            with app.app_context():
                start.wait()
                for step in range(5):
                    with writing() as tx:
                        order = (number + step, 7 - number, step * 3)
                        for target in order:
                            add(tx, now, target_kind="practice", target_id=str(target))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(rows()) == 8 * 5 * 3
    assert verified() == []


def test_verifying_sees_one_moment_though_events_arrive_meanwhile(app: Flask, now: datetime):
    tell(now)
    with reading() as tx:
        service.facts.take_snapshot(tx)
        before = service.heads(tx)
        tell(now)
        assert service.heads(tx) == before
        assert service.verify(tx) == []


def test_AU_03_exported_heads_are_written_and_read_back(app: Flask, now: datetime, tmp_path: Path):
    tell(now)
    with reading() as tx:
        heads = service.heads(tx)
    path = tmp_path / "heads.jsonl"
    write_heads(path, heads, now=now)
    write_heads(path, heads, now=now)
    assert sorted(read_heads(path), key=lambda head: head.stream) == heads
    assert len(heads) == STREAMS
    assert path.stat().st_mode & 0o077 == 0
    assert verified(against=heads) == []


def test_R_22_AU_03_a_line_that_a_full_disk_cut_short_costs_no_other(app: Flask, now: datetime, tmp_path: Path):
    tell(now)
    with reading() as tx:
        heads = service.heads(tx)
    path = tmp_path / "heads.jsonl"
    write_heads(path, heads, now=now)
    whole = path.read_text("utf-8")
    for kept in (1, 5, 60, len(whole) - 3):
        path.write_text(whole + whole[:kept], "utf-8")
        assert len(read_heads(path)) == STREAMS, kept
        write_heads(path, heads, now=now)
        assert path.read_text("utf-8").splitlines() == [whole[:-1], whole[:kept], whole[:-1]]
        assert len(read_heads(path)) == STREAMS, "there is room again"
    path.write_text(whole + "what somebody else wrote\n", "utf-8")
    with pytest.raises(ValueError, match="line 2 holds no heads"):
        read_heads(path)


def test_the_export_is_by_day_person_and_target(app: Flask, now: datetime):
    tell(now, subject_id="a", target_kind="practice", target_id="p")
    tell(now + timedelta(days=1), subject_id="a")
    tell(now, subject_id="b")
    with reading() as tx:
        of = lambda **which: [e.content.subject_id for e in service.export(tx, **which)]  # noqa: E731
        assert sorted(of()) == ["a", "a", "b"]
        assert of(subject_id="b") == ["b"]
        assert of(target_id="p") == ["a"]
        assert sorted(of(since=now, until=now + timedelta(hours=1))) == ["a", "b"]


def test_ST_13_the_csv_export_holds_no_formula(app: Flask, now: datetime):
    tell(now, actor="=HYPERLINK()", details={"said": "@SUM(1)"})
    printed = app.test_cli_runner().invoke(command, ["export", "--csv"])
    assert printed.exit_code == 0, printed.output
    assert ",'=HYPERLINK()," in printed.output
    assert printed.output.count("\n") == 2


def test_the_command_says_yes_with_0_and_names_a_fault_with_1(
    app: Flask, now: datetime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    run: Callable[..., object] = app.test_cli_runner().invoke
    tell(now)
    heads = tmp_path / "heads.jsonl"
    assert run(command, ["export", "--heads", str(heads)]).exit_code == 0  # type: ignore[attr-defined]
    good = run(command, ["verify", "--against", str(heads), "--json"])
    assert (good.exit_code, good.output) == (0, '{"ok": true, "bad": []}\n')  # type: ignore[attr-defined]
    (row,) = rows()
    heads.write_text(heads.read_text().replace(row.hash.hex(), "00" * 32))
    bad = run(command, ["verify", "--against", str(heads)])
    assert bad.exit_code == 1  # type: ignore[attr-defined]
    assert f"stream {row.stream}, event 1: not as exported" in bad.output  # type: ignore[attr-defined]
