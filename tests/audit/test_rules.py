"""The chain as arithmetic: no database, no clock."""

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from idp.audit.rules import (
    GENESIS,
    STREAMS,
    BadRow,
    Content,
    Entry,
    Fault,
    Link,
    clean_details,
    clean_text,
    formula_safe,
    hash_of,
    inspect,
    inspect_end,
    stream_of,
    trace_of,
)
from idp.vocabulary.secret import Secret

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def content(**changed: object) -> Content:
    usual = {
        "id": UUID(int=7), "at": NOON, "type": "signed_in", "outcome": "ok", "actor": "person", "subject_id": "person",
        "client_id": None, "target_kind": None, "target_id": None, "details": {"amr": ["pwd"]},
        "address": "192.0.2.7", "session_digest": "ab12", "request_id": "r1",
    }  # fmt: skip
    return Content(**(usual | changed))  # type: ignore[arg-type]


def entry(sequence: int, *, previous: bytes, **changed: object) -> Entry:
    made = content(**changed)
    digest = hash_of(made, stream=3, sequence=sequence, previous_hash=previous)
    return Entry(made, Link(3, sequence, digest), previous)


START = Link(3, 0, GENESIS)


def test_AU_02_a_row_that_was_written_next_is_accepted():
    first = entry(1, previous=GENESIS)
    assert inspect(first, after=START) is None
    assert inspect(entry(2, previous=first.link.hash), after=first.link) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outcome", "refused"), ("actor", "another"), ("subject_id", "another"), ("client_id", "portal"),
        ("target_id", "x"), ("details", {"amr": ["pwd", "otp"]}), ("address", "192.0.2.8"), ("session_digest", None),
        ("at", NOON + timedelta(microseconds=1)), ("type", "signed_out"), ("id", UUID(int=8)), ("request_id", "r2"),
    ],
)  # fmt: skip
def test_AU_02_whatever_is_altered_changes_the_hash(name: str, value: object):
    written = entry(1, previous=GENESIS)
    forged = Entry(content(**{name: value}), written.link, written.previous_hash)
    assert inspect(forged, after=START) == BadRow(3, 1, Fault.ALTERED)


def test_AU_02_a_gap_names_the_missing_row():
    assert inspect(entry(3, previous=bytes(32)), after=Link(3, 1, b"x")) == BadRow(3, 2, Fault.MISSING)


def test_AU_02_a_row_with_a_number_used_before_was_inserted():
    assert inspect(entry(1, previous=GENESIS), after=Link(3, 1, b"x")) == BadRow(3, 1, Fault.INSERTED)


def test_AU_02_a_row_hashed_over_another_past_does_not_follow():
    forged = entry(2, previous=b"y" * 32)
    assert inspect(forged, after=Link(3, 1, b"x" * 32)) == BadRow(3, 2, Fault.UNLINKED)


def test_AU_03_a_chain_that_ends_early_was_cut():
    assert inspect_end(Link(3, 4, b"x"), head=Link(3, 6, b"y")) == BadRow(3, 5, Fault.CUT)
    assert inspect_end(Link(3, 6, b"x"), head=Link(3, 4, b"y")) == BadRow(3, 5, Fault.INSERTED)
    assert inspect_end(Link(3, 6, b"x"), head=Link(3, 6, b"y")) == BadRow(3, 6, Fault.HEAD_ALTERED)
    assert inspect_end(Link(3, 6, b"x"), head=None) == BadRow(3, 6, Fault.HEAD_ALTERED)
    assert inspect_end(Link(3, 6, b"x"), head=Link(3, 6, b"x")) is None


def test_AU_11_the_same_moment_of_another_zone_gives_the_same_hash():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-6)))
    one, two = (hash_of(content(at=at), stream=1, sequence=1, previous_hash=GENESIS) for at in (NOON, elsewhere))
    assert one == two


def test_an_event_belongs_to_its_target_before_its_person_before_its_client():
    about_target = stream_of(target_kind="practice", target_id="p", subject_id="s", client_id="c")
    assert about_target == stream_of(target_kind="practice", target_id="p", subject_id="t", client_id="d")
    about_person = stream_of(target_kind=None, target_id=None, subject_id="s", client_id="c")
    assert about_person == stream_of(target_kind=None, target_id=None, subject_id="s", client_id="d")
    everywhere = {stream_of(target_kind="t", target_id=str(n), subject_id=None, client_id=None) for n in range(999)}
    assert everywhere == set(range(STREAMS))


def test_AU_06_details_are_bounded_printable_and_exact():
    cleaned = clean_details({"before": {"levels": {"b", "a"}}, "at": NOON, "id": UUID(int=1), "none": None, "n": 3})
    assert cleaned == {
        "before": {"levels": ["a", "b"]}, "at": NOON.isoformat(), "id": str(UUID(int=1)), "none": None, "n": 3,
    }  # fmt: skip
    assert len(clean_details({"long": "x" * 9999})["long"]) == 500


@pytest.mark.parametrize(
    "value", [Secret("CNRY-secret"), 1.5, b"bytes", object(), {"a": {"b": {"c": {"d": {"e": 1}}}}}]
)
def test_AU_06_what_is_secret_or_cannot_be_stored_exactly_is_refused(value: object):
    with pytest.raises(ValueError, match=r"audit|secret"):
        clean_details({"thing": value})


def test_AU_07_a_detail_whose_name_means_a_secret_is_masked():
    assert clean_details({"password": "CNRY-1", "login": "CNRY-2", "Code": "CNRY-3", "tin": None}) == {
        "password": "***", "login": "***", "Code": "***", "tin": None,
    }  # fmt: skip


def test_AU_07_a_typed_name_leaves_a_trace_that_only_recognizes_it():
    trace = trace_of("Summer2026!", key=b"k" * 32)
    assert trace == trace_of("Summer2026!", key=b"k" * 32)
    assert trace != trace_of("Summer2026!", key=b"l" * 32)
    assert len(trace) == 16
    assert "Summer" not in trace


def test_ST_13_control_and_direction_characters_never_reach_the_log():
    assert clean_text("a\r\nb\x1b[31m\u202e\ud800c") == "a\ufffd\ufffdb\ufffd[31m\ufffd\ufffdc"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_ST_13_a_cell_of_the_export_is_never_a_formula(cell: str):
    assert formula_safe(cell) == f"'{cell}"
    assert formula_safe("plain=1") == "plain=1"
