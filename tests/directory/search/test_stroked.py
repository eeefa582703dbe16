"""Names that were folded before stroked letters had plain ones are found by those after the migration, as if taken in today."""

import importlib
from datetime import datetime

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from idp.directory import service
from idp.directory.models import FormerHolder, NameWord, NpiRecord, NpiWord, Provider, ProviderWord
from idp.directory.rules import NATIONAL, key_words, name_key
from idp.foundation.database import Model, new_id, reading, writing
from tests.directory.files import CLINIC_NPI, PERSON_NPI, PRACTITIONER, taken

pytestmark = pytest.mark.both
OF_OLD = "łucja ørsted lucja"
LAST = "Provider Last Name (Legal Name)"
NPI = PERSON_NPI | {"Provider First Name": "ŁUCJA", "Provider Middle Name": "ØRSTED", LAST: "LUCJA"}
NAMED = (Provider, ProviderWord, NpiRecord, NpiWord, NameWord)


def test_only_names_with_such_letters_are_folded_again_to_what_an_import_would_write(tx: Session, now: datetime):
    tx.rollback()
    taken([PRACTITIONER | {"legal_name": "Łucja Ørsted Lucja"}, PRACTITIONER | {"provider_id": "222222222"}], now=now)
    taken([NPI, CLINIC_NPI], "nppes", now=now)
    as_today = _kept()
    _as_of_old(now)
    assert _kept() != as_today
    module = importlib.import_module("idp.migrations.versions.stroked_letters")
    for _ in range(2):
        with writing() as its:
            module.refold(its.connection())
    assert _kept() == as_today
    assert tx.execute(select(FormerHolder.name_key)).scalars().all() == [name_key(OF_OLD)]
    for text in ("lucja orsted", "Łuc ør"):
        assert [each.provider_id for each in service.search_providers(tx, "ozark", text, now=now).providers] == [
            "123456789"
        ]
        assert [each.npi for each in service.search_npi(tx, text).records] == ["1234567893"]
    tx.rollback()
    assert taken([PRACTITIONER | {"legal_name": "Łucja Ørsted Lucja"}], now=now).changes == 0


def test_a_long_name_that_is_cut_into_a_word_it_has_is_folded_again_too(tx: Session, now: datetime):
    tx.rollback()
    taken([NPI], "nppes", now=now)
    for last in ("abcdef", "cdefgh"):
        of_old = " ".join(["ab", "æ" * 40, "x" * 64, "y" * 64, last])
        with writing() as its:
            state = its.execute(select(NpiWord.state).limit(1)).scalar_one()
            its.execute(delete(NpiWord))
            said = {"npi": "1234567893", "source": "nppes", "state": state, "name_key": of_old}
            its.execute(insert(NpiWord), [said | {"word": each} for each in of_old.split()])
            its.execute(update(NpiRecord).values(name_key=of_old))
            its.execute(delete(NameWord))
            its.execute(insert(NameWord), [{"scope": NATIONAL, "word": each} for each in of_old.split()])
            importlib.import_module("idp.migrations.versions.stroked_letters").refold(its.connection())
        words = set(key_words(name_key(of_old)))
        assert set(tx.execute(select(NpiWord.word, NpiWord.name_key))) == {(each, name_key(of_old)) for each in words}
        assert words <= set(tx.execute(select(NameWord.word)).scalars())
        assert tx.execute(select(NpiRecord.name_key)).scalar_one() == name_key(of_old)
        tx.rollback()


def _kept() -> list[set[tuple[object, ...]]]:
    with reading() as tx:
        return [{tuple(row) for row in tx.execute(select(*_names(table)))} for table in NAMED]


def _names(table: type[Model]) -> list[object]:
    wanted = ("name_key", "word", "registry", "number", "state", "npi", "source", "scope", "provider_id")
    return [table.__table__.c[name] for name in wanted if name in table.__table__.c]


def _as_of_old(now: datetime) -> None:
    with writing() as tx:
        provider = tx.execute(select(Provider).where(Provider.provider_id == "123456789")).scalar_one()
        word = tx.execute(select(ProviderWord).where(ProviderWord.provider_id == provider.id).limit(1)).scalar_one()
        its = {"registry_name": "ozark", "provider_id": provider.id, "number": word.number, "state": word.state}
        words = ("łucja", "ørsted", "lucja")
        tx.execute(delete(ProviderWord).where(ProviderWord.provider_id == provider.id))
        tx.execute(insert(ProviderWord), [its | {"word": each, "name_key": OF_OLD} for each in words])
        tx.execute(update(Provider).where(Provider.id == provider.id).values(name_key=OF_OLD))
        state = tx.execute(select(NpiWord.state).where(NpiWord.npi == "1234567893").limit(1)).scalar_one()
        tx.execute(delete(NpiWord).where(NpiWord.npi == "1234567893"))
        said = {"npi": "1234567893", "source": "nppes", "state": state, "name_key": OF_OLD}
        tx.execute(insert(NpiWord), [said | {"word": each} for each in words])
        tx.execute(update(NpiRecord).where(NpiRecord.npi == "1234567893").values(name_key=OF_OLD))
        tx.execute(delete(NameWord).where(NameWord.word == "orsted"))
        strokes = [{"scope": scope, "word": each} for scope in ("ozark", NATIONAL) for each in words[:2]]
        tx.execute(insert(NameWord), strokes)
        tx.add(
            FormerHolder(
                id=new_id(), practice_id=provider.practice_id, provider_id=provider.id, registry_name="ozark",
                npi=provider.npi, name_key=OF_OLD, at=now,
            )
        )  # fmt: skip
