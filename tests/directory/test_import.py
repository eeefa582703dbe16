"""Importing: every row judged, batches kept, twice the same as once, changes told to the audit."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp.audit.models import AuditEvent
from idp.directory import service
from idp.directory.imports import service as imports
from idp.directory.imports.files import LONGEST_LINE, BadFile
from idp.directory.imports.pin_letters import pin_digest
from idp.directory.imports.run import Declined, Reject
from idp.directory.models import Engagement, ImportRun, PinLetter, Practice, Provider, TradingPartner
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Artefact, Kind, Redeemed
from idp.foundation.database import Model, reading, writing
from idp.keyring.service import Keyring
from idp.vocabulary.identifiers import TinType
from idp.vocabulary.refused import Refused
from tests.directory.files import GROUP, LETTER, MEMBER, OFF, PARTNER, PRACTITIONER, counted, shared, taken, written

pytestmark = pytest.mark.both


@pytest.fixture(autouse=True)
def house_is_open(app: object) -> None:
    """Every test here needs the application."""


def count(model: type[Model]) -> int:
    with reading() as tx:
        return tx.execute(select(func.count()).select_from(model)).scalar_one()


def events(kind: str) -> list[AuditEvent]:
    with reading() as tx:
        query = (
            select(AuditEvent)
            .where(AuditEvent.type == kind)
            .order_by(AuditEvent.at, AuditEvent.stream, AuditEvent.sequence)
        )
        return list(tx.execute(query).scalars())


def provider(number: str = "123456789") -> Provider:
    with reading() as tx:
        return tx.execute(select(Provider).where(Provider.provider_id == number)).scalar_one()


def practice(tin: str):
    with reading() as tx:
        found = service.practice_by_tin(tx, tin)
    assert found is not None
    return found


def redeem(number: str, pin: str, now: datetime) -> Redeemed | Refused:
    digest = pin_digest(pin, provider=provider(number).id, key=house.get(Keyring).index)
    with reading() as tx:
        return artefacts.peek(tx, kind=Kind.PIN_LETTER, digest=digest, now=now)


def test_a_second_run_changes_nothing_and_is_audited_once_more(now: datetime):
    rows = [GROUP, MEMBER, PRACTITIONER]
    assert counted(taken(rows, now=now)) == {"added": 3}
    before = provider().updated_at, provider().tin_sealed
    assert counted(taken(rows, now=now + timedelta(days=1))) == {"unchanged": 3}
    assert (provider().updated_at, provider().tin_sealed) == before
    assert (count(Provider), count(Practice), count(ImportRun)) == (3, 2, 2)
    assert len(events("directory_imported")) == 2
    assert events("provider_changed") == []


@pytest.mark.parametrize("order", [1, -1])
def test_a_practice_has_its_groups_name_whatever_came_first(now: datetime, order: int):
    for row in [MEMBER, GROUP][::order]:
        taken([row], now=now)
    assert practice("079990001").name == "Juniper Ridge Clinic"
    assert practice("079990001").tin_type is TinType.EIN


def test_an_ssn_is_marked_even_when_a_member_came_first(now: datetime):
    taken([MEMBER], now=now)
    taken([GROUP | {"tin_type": "SSN"}], now=now)
    assert practice("079990001").tin_type is TinType.SSN


def test_one_tin_is_one_practice_in_every_registry(now: datetime):
    taken([PRACTITIONER], now=now)
    taken([PRACTITIONER], now=now, registry="heartland")
    assert (count(Provider), count(Practice)) == (2, 1)


def test_material_changes_are_audited_without_the_number_itself(now: datetime):
    taken([PRACTITIONER], now=now)
    later = now + timedelta(days=1)
    changed = {"tin": "666025842", "zip_codes": "06010", "status": "terminated", "end_date": "2026-03-01"}
    assert counted(taken([PRACTITIONER | changed], now=later)) == {"changed": 1}
    (event,) = events("provider_changed")
    assert event.details["changed"] == ["dates", "status", "tin", "zip"]
    assert event.details["status"] == "active → terminated"
    assert event.target_id == str(provider().id)
    assert "66602584" not in str(event.details)
    assert provider().tin_changed_at == later


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"legal_name": "Inés Halvorsen-Roos", "last_name": "Halvorsen-Roos"}, {"changed": ["name"]}),
        ({"first_name": "I."}, {"changed": ["name"]}),
        ({"programs": "medicare"}, {"changed": ["programs"], "programs": "both → medicare"}),
        ({"state": "MO", "tin_type": "EIN"}, {"changed": ["state", "tin_type"], "state": "CT → MO"}),
        (
            {"provider_type": "group", "first_name": "", "last_name": ""},
            {"changed": ["name", "type"], "type": "practitioner → group"},
        ),
        ({"zip_codes": "06010"}, {"changed": ["zip"], "zip": "06002, 06095-1234 → 06010"}),
        ({"npi": "1982607537"}, {"changed": ["npi"], "npi": "1234567893 → 1982607537"}),
        (
            {"effective_date": "2021-01-01", "end_date": "2030-01-01"},
            {"changed": ["dates"], "begins": "2020-01-01 → 2021-01-01", "ends": "none → 2030-01-01"},
        ),
    ],
)
def test_MODEL_10_nothing_of_a_record_changes_without_trace_and_no_name_or_tin_stands_in_it(
    now: datetime, changed: dict[str, str], told: dict[str, object]
):
    taken([PRACTITIONER], now=now)
    taken([PRACTITIONER | changed], now=now)
    (event,) = events("provider_changed")
    whose = {"registry": "ozark", "number": "123456789", "status": "active"}
    assert event.details == whose | told


def test_a_new_name_is_found_by(now: datetime, tx: Session):
    taken([PRACTITIONER], now=now)
    taken([PRACTITIONER | {"legal_name": "Inés Halvorsen-Roos"}], now=now)
    assert len(service.search_providers(tx, "ozark", "roos", now=now).providers) == 1
    assert provider().tin_changed_at is None


def test_what_has_moved_to_another_practice_says_when(now: datetime):
    taken([GROUP, PRACTITIONER], now=now)
    taken([PRACTITIONER | {"group_tin": "079990001"}], now=now)
    assert provider().practice_id == practice("079990001").id
    assert provider().tin_changed_at == now


def test_refused_rows_leave_the_others_and_say_why(now: datetime):
    rejects: list[Reject] = []
    wrong = [MEMBER | {"npi": "1234567890"}, PRACTITIONER | {"provider_id": "=1+1", "tin": "1"}]
    report = taken([*wrong, GROUP], now=now, rejects=rejects)
    assert counted(report) == {"added": 1, "rejected": 2}
    assert report.reasons == Counter({"npi": 1, "provider_id": 1, "tin": 1})
    assert [(each.line, each.key) for each in rejects] == [(2, "222222222"), (3, "")]


def test_a_dry_run_counts_and_writes_nothing(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "BATCH", 1)
    report = taken([GROUP, MEMBER], now=now, dry_run=True)
    assert (counted(report), report.notes["practices_made"]) == ({"added": 2}, 1)
    assert (count(Provider), count(Practice), count(ImportRun), count(AuditEvent)) == (0, 0, 0, 0)
    taken([GROUP], now=now)
    assert counted(taken([GROUP | {"state": "MO"}, MEMBER], now=now, dry_run=True)) == {"added": 1, "changed": 1}
    report = taken([GROUP | {"tin": "079990002"}], now=now, dry_run=True)
    assert report.notes == Counter({"moved_to_another_practice": 1, "practices_made": 1})
    assert taken([OFF], "nppes", now=now, dry_run=True).notes["npi_deactivated"] == 1
    assert provider("000042").npi_deactivated_on is None
    taken([PARTNER | {"tins_represented": "079990001"}], "trading-partners", now=now, dry_run=True)
    taken([LETTER | {"provider_id": "000042"}], "pin-letters", now=now, dry_run=True)
    assert (count(TradingPartner), count(Engagement), count(PinLetter), count(Artefact)) == (0, 0, 0, 0)


def test_a_full_file_ends_what_it_no_longer_lists_but_not_a_refused_row(now: datetime):
    taken([GROUP, MEMBER, PRACTITIONER], now=now)
    asked = []
    report = taken([GROUP, MEMBER | {"npi": ""}], now=now, full=lambda *counts: asked.append(counts) or True)
    assert asked == [(1, 3, 0)]
    assert counted(report) == {"unchanged": 1, "rejected": 1, "ended": 1}
    assert (provider().status, provider().end_date) == ("terminated", now.date())
    (event,) = events("provider_changed")
    assert (event.details["status"], event.details["ends"]) == ("active → terminated", f"none → {now.date()}")
    assert counted(taken([GROUP, PRACTITIONER], now=now)) == {"unchanged": 1, "changed": 1}


def test_a_partner_whose_refused_line_writes_its_id_in_lower_case_has_not_left_a_full_file(now: datetime):
    taken([PARTNER], "trading-partners", now=now)
    for small in (
        PARTNER | {"trading_partner_id": "tp000001"},
        PARTNER | {"trading_partner_id": "tp000001", "type": "x"},
    ):
        assert "ended" not in counted(taken([small], "trading-partners", now=now, full=lambda *_: True))


UNSURE = {
    "a comma in a name": (
        "000042,group,1234567893,079990001,EIN,,Juniper, Ridge,,,06002,CT,both,active,2020-01-01,",
        1,
    ),
    "a broken line": ("000042,group,1234567893\n079990001,EIN,,Juniper,,,06002,CT,both,active,2020-01-01,", 2),
    "no key": ("42,group,1234567893,079990001,EIN,,Juniper,,,06002,CT,both,active,2020-01-01,", 1),
}


@pytest.mark.parametrize("name", UNSURE)
def test_whoever_a_refused_line_may_name_is_not_ended_by_a_full_file_unasked(name: str, now: datetime):
    taken([GROUP, PRACTITIONER, MEMBER], now=now)
    line, nameless = UNSURE[name]
    asked: list[tuple[int, ...]] = []
    content = written("provider-master", [MEMBER]) + line.encode() + b"\n"
    report = taken(content, now=now, full=lambda *counts: bool(asked.append(counts)) or True)
    known = name != "no key"
    assert asked == [(2 - known, 3, nameless)]
    assert (counted(report)["ended"], provider("000042").status) == (2 - known, "active" if known else "terminated")


def test_MODEL_10_who_was_to_end_on_a_day_to_come_and_leaves_a_full_file_ends_today(now: datetime):
    later = GROUP | {"status": "terminated", "end_date": "2099-12-31"}
    taken([PRACTITIONER, later], now=now)
    asked: list[tuple[int, int, int]] = []
    assert counted(taken([PRACTITIONER], now=now, full=lambda *how: bool(asked.append(how)) or True)) == {
        "unchanged": 1, "ended": 1,
    }  # fmt: skip
    assert asked == [(1, 2, 0)]
    gone = provider("000042")
    told = [each.details for each in events("provider_changed")]
    assert (gone.status, gone.end_date, gone.turns_on) == ("terminated", now.date(), None)
    assert [(each["changed"], each.get("status")) for each in told] == [(["dates"], None)]
    assert taken([PRACTITIONER], now=now, full=lambda *_: True).ended == 0


def test_whoever_left_is_found_page_by_page(now: datetime, monkeypatch: pytest.MonkeyPatch):
    """No statement reads a whole roster: PostgreSQL ends one that takes longer than a page may."""
    monkeypatch.setattr("idp.directory.imports.kinds.PAGE", 2)
    listed = [PRACTITIONER | {"provider_id": f"{100000000 + number}"} for number in range(5)]
    taken(listed, now=now)
    asked: list[tuple[int, int, int]] = []
    assert taken(listed[::2], now=now, full=lambda *how: bool(asked.append(how)) or True).ended == 2
    assert asked == [(2, 5, 0)]


def test_a_full_file_that_is_declined_ends_nothing(now: datetime):
    taken([GROUP, PRACTITIONER], now=now)
    with pytest.raises(Declined, match=r"Nothing has ended; the rows that were taken stay\."):
        taken([GROUP, MEMBER], now=now, full=lambda *_: False)
    assert (provider().status, provider("222222222").status) == ("active", "active")


def test_what_a_full_file_ends_is_told_batch_by_batch(now: datetime, monkeypatch: pytest.MonkeyPatch):
    taken([GROUP, MEMBER, PRACTITIONER], now=now)
    monkeypatch.setattr(imports, "BATCH", 1)
    told: list[tuple[int, int]] = []
    taken([GROUP], now=now, full=lambda *_: True, progress=lambda so_far: told.append((so_far.ended, so_far.leaving)))
    assert told == [(0, 0), (0, 2), (1, 2), (2, 2)]


def test_engagements_follow_the_roster(now: datetime):
    taken([GROUP, PRACTITIONER], now=now)
    both = PARTNER | {"tins_represented": "666025841;079990001;999999999"}
    report = taken([both], "trading-partners", now=now)
    assert report.notes == Counter({"engagements_made": 2, "tins_without_practice": 1, "engagements_ended": 0})
    assert counted(taken([both], "trading-partners", now=now)) == {"unchanged": 1}
    assert counted(taken([PARTNER], "trading-partners", now=now)) == {"changed": 1}
    with reading() as tx:
        partner = tx.execute(select(TradingPartner)).scalar_one()
        assert [each.practice.name for each in service.engagements(tx, partner.id, now)] == ["Inés Halvorsen"]
    assert counted(taken([both], "trading-partners", now=now)) == {"changed": 1}
    assert count(Engagement) == 2


def test_MODEL_7_what_a_practice_s_manager_ended_no_roster_begins_anew(now: datetime):
    taken([GROUP, PRACTITIONER], now=now)
    taken([PARTNER], "trading-partners", now=now)
    with writing() as tx:
        row = tx.scalars(select(Engagement)).one()
        row.ends_on, row.ended_by = now.date(), "a manager"
    assert counted(taken([PARTNER], "trading-partners", now=now)) == {"unchanged": 1}
    with reading() as tx:
        partner = tx.execute(select(TradingPartner)).scalar_one()
        assert service.engagements(tx, partner.id, now) == ()


def test_a_partner_that_left_a_full_file_is_terminated(now: datetime, tx: Session):
    taken([PARTNER], "trading-partners", now=now)
    other = PARTNER | {"trading_partner_id": "TP000002"}
    assert counted(taken([other], "trading-partners", now=now, full=lambda *_: True)) == {"added": 1, "ended": 1}
    gone = service.trading_partner_by_number(tx, registry="ozark", trading_partner_id="TP000001")
    assert gone is not None
    assert not gone.in_force


def test_D2_a_pin_works_for_its_provider_in_its_case_through_its_last_day(now: datetime):
    taken([PRACTITIONER, MEMBER], now=now)
    letter = LETTER | {"expires_on": "2026-03-02"}
    assert counted(taken([letter], "pin-letters", now=now)) == {"added": 1}
    assert isinstance(redeem("123456789", "e28HKtSp", now), Redeemed)
    assert isinstance(redeem("123456789", "e28HKtSp", now.replace(hour=23)), Redeemed)
    assert redeem("123456789", "E28hkTsP", now) == Refused(artefacts.Reason.UNKNOWN)
    assert redeem("222222222", "e28HKtSp", now) == Refused(artefacts.Reason.UNKNOWN)
    assert redeem("123456789", "e28HKtSp", now + timedelta(days=1)) == Refused(artefacts.Reason.EXPIRED)


def test_D2_a_letter_that_was_used_elsewhere_is_used_here(now: datetime):
    taken([PRACTITIONER], now=now)
    taken([LETTER], "pin-letters", now=now)
    used = LETTER | {"used_on": "2026-02-01"}
    assert counted(taken([used], "pin-letters", now=now)) == {"changed": 1}
    assert redeem("123456789", "e28HKtSp", now) == Refused(artefacts.Reason.REPLAYED)
    assert counted(taken([used], "pin-letters", now=now)) == {"unchanged": 1}
    assert counted(taken([LETTER], "pin-letters", now=now)) == {"unchanged": 1}
    assert redeem("123456789", "e28HKtSp", now) == Refused(artefacts.Reason.REPLAYED)


def test_a_letter_whose_expired_pin_was_purged_is_not_made_again(now: datetime):
    taken([PRACTITIONER], now=now)
    old = LETTER | {"expires_on": "2026-02-01"}
    taken([old], "pin-letters", now=now)
    with writing() as tx:
        assert artefacts.purge(tx, before=now) == 1
    assert counted(taken([old], "pin-letters", now=now)) == {"unchanged": 1}


def test_letters_to_strangers_and_with_other_days_are_refused(now: datetime):
    taken([PRACTITIONER], now=now)
    taken([LETTER], "pin-letters", now=now)
    moved, stranger = LETTER | {"expires_on": "2036-01-01"}, LETTER | {"provider_id": "999999"}
    report = taken([moved, stranger | {"pin": "AnotherPin1"}], "pin-letters", now=now)
    assert report.reasons == Counter({"letter_differs": 1, "provider_unknown": 1})


def test_ST_04_neither_tin_nor_pin_stands_in_any_table(now: datetime):
    taken([GROUP, MEMBER, PRACTITIONER], now=now)
    taken([PARTNER], "trading-partners", now=now)
    taken([LETTER], "pin-letters", now=now)
    with reading() as tx:
        for table in Model.metadata.sorted_tables:
            if "affiliation" in table.name or table.name == "held_level":
                continue
            for row in tx.execute(select(table)):
                shown = repr(tuple(bytes(cell) if isinstance(cell, memoryview) else cell for cell in row))
                assert not any(secret in shown for secret in ("666025841", "079990001", "e28HKtSp")), table.name


BAD_FILES = {
    "empty": (b"", 1, "empty"),
    "latin-1": (written("provider-master", [PRACTITIONER]).replace("é".encode(), b"\xe9"), 2, "UTF-8"),
    "utf-16": ("provider_id".encode("utf-16"), 1, "binary"),
    "zip": (b"PK\x03\x04" + b"x" * 50, 1, "zip"),
    "gzip": (b"\x1f\x8b" + b"x" * 50, 1, "gzip"),
    "NUL": (written("provider-master", [GROUP]).replace(b"Juniper", b"Jun\x00per"), 2, "binary"),
    "reordered": (b"npi,provider_id\n", 1, "column 1"),
    "no header": (written("provider-master", [GROUP]).partition(b"\n")[2], 1, "column 1"),
    "too many columns": (written("provider-master", []).strip() + b",more\n", 1, "15 columns"),
    "long line": (written("provider-master", []) + b"x" * (LONGEST_LINE + 1) + b"\n", 2, "longer"),
    "10 MB line": (written("provider-master", []) + b"x" * 10_000_000, 2, "longer"),
    "cut in a row": (written("provider-master", [GROUP, MEMBER])[:-60], 3, "middle of a row"),
    "cut in a date": (written("provider-master", [PRACTITIONER])[:-4], 2, "middle of a row"),
    "cut in the last cell": (
        written("provider-master", [GROUP, MEMBER | {"end_date": "2036-01-01"}])[:-11],
        3,
        "line end",
    ),
    "cut behind the header": (written("provider-master", []).strip(), 1, "without a line end"),
    "cut in a quote": (written("provider-master", [GROUP]) + b'1,"2', 3, "inside a quoted"),
    "quote left open": (written("provider-master", []) + b'1,"2\n' + b"3,4\n" * 9, 2, "inside a quoted"),
    "quote closed late": (written("provider-master", [GROUP]) + b'1,"2\n\n3"4,5\n', 3, "quoting"),
    "quote never closed": (written("provider-master", [GROUP]) + b'1,"2\n' + b"3,4\n" * 20_000, 3, "row is longer"),
    "spreadsheet": (b"PK\x03\x04" + b"\n" * 26 + b"[Content_Types].xml" + b"x" * 50, 1, "spreadsheet; save it as CSV"),
    "stray quote": (written("provider-master", [GROUP]) + b'1,"2"3,4\n', 3, "quoting"),
    "duplicate": (written("provider-master", [GROUP, MEMBER, GROUP]), 4, "line 2 already"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_is_named_with_its_line_and_leaves_nothing(name: str, now: datetime):
    content, line, what = BAD_FILES[name]
    with pytest.raises(BadFile, match=rf"file\.csv, line {line}: .*{what}"):
        taken(content, now=now)
    assert count(Provider) == 0
    (event,) = events("directory_imported")
    assert event.outcome == "bad_file"


def test_batches_before_the_bad_line_stay(now: datetime, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "BATCH", 2)
    rows = [GROUP | {"provider_id": f"{number:06}"} for number in range(5)]
    with pytest.raises(BadFile):
        taken(written("provider-master", rows) + b"\xff\n", now=now)
    assert count(Provider) == 4
    assert counted(taken(rows, now=now)) == {"added": 1, "unchanged": 4}


def test_a_byte_order_mark_blank_lines_and_crlf_are_tolerated(now: datetime):
    content = b"\xef\xbb\xbf" + written("provider-master", [GROUP, MEMBER]).replace(b"\n", b"\r\n\r\n")
    assert counted(taken(content, now=now)) == {"added": 2}


def test_a_short_row_in_the_middle_is_refused_and_read_over(now: datetime):
    head, _, rest = written("provider-master", [GROUP]).partition(b"\n")
    report = taken(head + b"\n1,2,3\n" + rest, now=now)
    assert (counted(report), report.reasons) == ({"added": 1, "rejected": 1}, Counter({"column_count": 1}))


def test_real_the_whole_provider_master(now: datetime, tx: Session):
    content = shared("provider_master.csv").read_bytes()
    report = taken(content, now=now)
    assert (report.read, counted(report)) == (2465, {"added": 2465})
    assert counted(taken(content, now=now)) == {"unchanged": 2465}
    by_type = select(Provider.provider_type, func.count()).group_by(Provider.provider_type)
    assert dict(map(tuple, tx.execute(by_type))) == {"practitioner": 2327, "group": 138}
    by_status = select(Provider.status, func.count()).group_by(Provider.status)
    assert dict(map(tuple, tx.execute(by_status))) == {"active": 2095, "terminated": 370}
    assert tx.execute(select(func.count()).where(Provider.effective_date > now.date())).scalar_one() == 9
    lengths = Counter(map(len, tx.execute(select(Provider.provider_id)).scalars()))
    assert lengths == {9: 2255, 6: 210}
    of_npi = Counter(Counter(tx.execute(select(Provider.npi)).scalars()).values())
    assert of_npi == {1: 2465 - 105 * 2 - 2 * 3, 2: 105, 3: 2}
    entities = Counter(tx.execute(select(Provider.tin_index).where(Provider.provider_type == "group")).scalars())
    assert (len(entities), sum(rows > 1 for rows in entities.values())) == (132, 5)
    zeros = select(func.count()).where(Provider.provider_id.startswith("0"))
    assert tx.execute(zeros).scalar_one() == 244
    assert events("provider_changed") == []


def test_real_what_a_group_tin_brings(now: datetime, tx: Session):
    taken(shared("provider_master.csv").read_bytes(), now=now)
    one, several = service.practice_by_tin(tx, "051503674"), service.practice_by_tin(tx, "474554262")
    assert one is not None
    assert several is not None
    of_one = service.providers_of_practice(tx, practice_id=one.id, registry="ozark", now=now)
    assert len(of_one) == 39
    groups = service.group_records(tx, practice_id=one.id, registry="ozark", now=now)
    assert [each.provider_id for each in groups] == ["622964284"]
    groups = service.group_records(tx, practice_id=several.id, registry="ozark", now=now)
    assert [each.provider_id for each in groups] == ["027143868", "274320857", "797096412"]
    dead = service.practice_by_tin(tx, "463886426")
    assert dead is not None
    assert not service.practice_in_force(tx, practice_id=dead.id, registry="ozark", now=now)


def test_real_partners_are_engaged_by_known_tins_in_force_only(now: datetime, tx: Session):
    taken(shared("provider_master.csv").read_bytes(), now=now)
    content = shared("trading_partners.csv").read_bytes()
    report = taken(content, "trading-partners", now=now)
    assert (report.read, counted(report)) == (40, {"added": 40})
    assert report.notes["tins_without_practice"] == 2
    assert counted(taken(content, "trading-partners", now=now)) == {"unchanged": 40}
    kinds = Counter(tx.execute(select(TradingPartner.kind)).scalars())
    assert kinds == {"billing company": 24, "vendor": 9, "clearinghouse": 7}
    named = {row.name: row.id for row in tx.execute(select(TradingPartner.name, TradingPartner.id))}
    for name, tin in (("Copperleaf Claims Office", "200047378"), ("Greywater Physician Billing", "590000017")):
        engaged = service.engagements(tx, named[name], now)
        assert engaged
        assert tin not in {service.tin_of(each.practice) for each in engaged}
    assert service.engagements(tx, named["Elmstone Eligibility Tools"], now) == ()


def test_real_pin_letters(now: datetime):
    taken(shared("provider_master.csv").read_bytes(), now=now)
    content = shared("pin_letters.csv").read_bytes()
    report = taken(content, "pin-letters", now=now)
    assert report.notes == Counter({"letters_open": 28, "letters_expired": 16, "letters_used": 16})
    assert counted(taken(content, "pin-letters", now=now)) == {"unchanged": 60}
    good = [("043836012", "e28HKtSp"), ("226315", "ZvfWb6u5X"), ("191608379", "nc4FMQQm"), ("026000191", "5hHDb8x7j")]
    assert all(isinstance(redeem(number, pin, now), Redeemed) for number, pin in good)
    bad = {
        ("043836012", "E28hkTsP"): artefacts.Reason.UNKNOWN,
        ("226315", "zVFwB6U5x"): artefacts.Reason.UNKNOWN,
        ("191608379", "j3JAMvfX"): artefacts.Reason.EXPIRED,
        ("064639", "uGMg5Td2m"): artefacts.Reason.EXPIRED,
        ("033714411", "Aqr5yHT8f"): artefacts.Reason.REPLAYED,
    }
    assert all(redeem(number, pin, now) == Refused(reason) for (number, pin), reason in bad.items())
