"""Finding clients: as the database has them, a second behind at most; their secrets; off and on."""

from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select, text, update
from sqlalchemy.orm import Session

from idp.audit.events import Event
from idp.audit.models import AuditEvent
from idp.foundation import clock, house
from idp.foundation.artefacts import digest_of
from idp.foundation.database import db, reading, writing
from idp.foundation.origin import Origin
from idp.foundation.store import Store
from idp.relying_parties import cache, service
from idp.relying_parties.models import Client, ClientsVersion
from idp.relying_parties.service import Reason
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

pytestmark = pytest.mark.both
WHO: dict[str, Any] = {"actor": "staff:test", "origin": Origin.local("test")}


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """SQL as it is sent."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield seen
    event.remove(db.engine, "before_cursor_execute", note)


def elsewhere(**values: Any) -> None:
    """Another node changes every client; this process hears nothing of it."""
    with Session(db.engine.execution_options(credence_write=True)) as tx, tx.begin():
        tx.execute(update(Client).values(version=Client.version + 1, **values))
        tx.execute(update(ClientsVersion).values(version=ClientsVersion.version + 1))


def test_a_client_is_parsed_once_and_shared(make: Any, statements: list[str]) -> None:
    make.client("ozark-secure")
    first = service.find("ozark-secure")
    statements.clear()
    assert service.find("ozark-secure") is first
    assert first is not None
    assert first.portal is not None
    assert statements == []


def test_an_unknown_client_is_none(make: Any) -> None:
    make.client("ozark-secure")
    assert service.find("nobody") is None
    assert service.find("Ozark-Secure") is None
    assert service.find("") is None


def test_R_13_a_change_elsewhere_is_seen_within_a_second(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    assert service.find("ozark-secure").enabled  # type: ignore[union-attr]
    elsewhere(enabled=False)
    hands.forward(seconds=0.9)
    assert service.find("ozark-secure").enabled  # type: ignore[union-attr]
    hands.forward(seconds=0.1)
    assert not service.find("ozark-secure").enabled  # type: ignore[union-attr]


def test_R_13_a_second_costs_one_row_and_parses_nothing(make: Any, hands: Any, statements: list[str]) -> None:
    make.client("ozark-secure")
    first = service.find("ozark-secure")
    hands.forward(seconds=1)
    statements.clear()
    assert service.find("ozark-secure") is first
    assert sum("clients_version" in statement for statement in statements) == 1
    assert not any("FROM client " in statement for statement in statements)


def test_only_changed_clients_are_parsed_again(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    make.client("cascade-mmis")
    kept, changed = service.find("ozark-secure"), service.find("cascade-mmis")
    with writing() as tx:
        service.disable(tx, client_id="cascade-mmis", now=hands.now, **WHO)
    assert service.find("ozark-secure") is kept
    assert service.find("cascade-mmis") is not changed


def test_R_19_a_clock_that_steps_back_asks_again(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    service.find("ozark-secure")
    elsewhere(enabled=False)
    hands.forward(hours=-1)
    assert not service.find("ozark-secure").enabled  # type: ignore[union-attr]


def test_an_invalidation_asks_at_once(make: Any) -> None:
    make.client("ozark-secure")
    service.find("ozark-secure")
    elsewhere(enabled=False)
    service.invalidate()
    assert not service.find("ozark-secure").enabled  # type: ignore[union-attr]


@pytest.mark.parametrize(("warm", "step"), [(False, "_load"), (True, "version_of")])
def test_a_look_in_flight_does_not_undo_an_invalidation(
    make: Any, monkeypatch: pytest.MonkeyPatch, warm: bool, step: str
) -> None:
    make.client("ozark-secure")
    service.find("ozark-secure") if warm else service.forget()
    really = getattr(cache, step)

    def then_changed(tx: Any, **given: Any) -> Any:
        monkeypatch.setattr(cache, step, really)
        seen = really(tx, **given)
        tx.rollback()
        elsewhere(enabled=False)
        service.invalidate()
        return seen

    monkeypatch.setattr(cache, step, then_changed)
    cache.current().renew(clock.now())
    assert not service.find("ozark-secure").enabled  # type: ignore[union-attr]


@pytest.mark.parametrize("warm", [False, True])
def test_TK_16_a_secret_changed_between_two_statements_is_known_at_the_next_look(
    make: Any, hands: Any, monkeypatch: pytest.MonkeyPatch, warm: bool
) -> None:
    """PostgreSQL shows each statement what is committed when it begins."""
    make.client("ozark-secure", secret="first-secret")
    service.find("ozark-secure") if warm else service.forget()
    elsewhere(enabled=True)
    made: list[Secret] = []

    class Between:
        """What reads the clients' rows and their secrets; somebody commits between the two."""

        def __init__(self, tx: Any) -> None:
            self._tx = tx
            self._seen = 0

        def execute(self, statement: Any) -> Any:
            self._seen += 1
            if self._seen == 2:
                with writing() as other:
                    secret = service.add_secret(other, client_id="ozark-secure", now=hands.now, **WHO)
                    assert isinstance(secret, Secret)
                    made.append(secret)
            with reading() as other:
                return other.execute(statement).freeze()()

    read_parties = cache.read_parties

    def torn(tx: Any, **asked: Any) -> Any:
        monkeypatch.setattr(cache, "read_parties", read_parties)
        tx.rollback()
        return read_parties(Between(tx), **asked)

    hands.forward(seconds=1)
    monkeypatch.setattr(cache, "read_parties", torn)
    service.find("ozark-secure")
    assert len(made) == 1
    hands.forward(seconds=1)
    assert digest_of(made[0].reveal()) in digests("ozark-secure")
    with reading() as tx:
        fresh = service.find_fresh(tx, "ozark-secure")
    assert fresh is not None
    assert digest_of(made[0].reveal()) in fresh.secret_digests
    hands.forward(hours=24)
    assert digests("ozark-secure") == (digest_of(made[0].reveal()),)


def test_the_store_tells_before_the_second_is_over(make: Any, hands: Any) -> None:
    store = house.get(Store)
    if not store.configured:
        return
    make.client("ozark-secure")
    service.find("ozark-secure")
    elsewhere(enabled=False)
    store.publish("clients", 1000)
    hands.forward(seconds=0.2)
    assert not service.find("ozark-secure").enabled  # type: ignore[union-attr]


def test_this_process_sees_its_own_change_at_once_but_not_before_it_commits(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    service.find("ozark-secure")
    with pytest.raises(RuntimeError), writing() as tx:
        service.disable(tx, client_id="ozark-secure", now=hands.now, **WHO)
        raise RuntimeError
    assert service.find("ozark-secure").enabled  # type: ignore[union-attr]
    with writing() as tx:
        service.disable(tx, client_id="ozark-secure", now=hands.now, **WHO)
    assert not service.find("ozark-secure").enabled  # type: ignore[union-attr]


def test_the_epoch_is_never_the_cached_one(make: Any) -> None:
    make.client("ozark-secure")
    cached = service.find("ozark-secure")
    with reading() as tx:
        assert service.find_fresh(tx, "ozark-secure") is cached
        assert service.find_fresh(tx, "nobody") is None
    elsewhere(epoch=7)
    assert service.find("ozark-secure").epoch == 1  # type: ignore[union-attr]
    with reading() as tx:
        assert service.find_fresh(tx, "ozark-secure").epoch == 7  # type: ignore[union-attr]


def test_many_threads_find_the_same_client(app: Flask, make: Any) -> None:
    make.client("ozark-secure")
    found: list[str] = []

    def look() -> None:
        with app.app_context():
            for _ in range(50):
                service.invalidate()
                party = service.find("ozark-secure")
                found.append(party.client_id if party else "")

    threads = [Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["ozark-secure"] * 200


def digests(client_id: str) -> tuple[bytes, ...]:
    party = service.find(client_id)
    assert party is not None
    return party.secret_digests


def test_TK_16_the_former_secret_lives_24_hours_and_no_longer(make: Any, hands: Any) -> None:
    make.client("ozark-secure", secret="first-secret")
    with writing() as tx:
        second = service.add_secret(tx, client_id="ozark-secure", now=hands.now, **WHO)
    assert isinstance(second, Secret)
    assert len(second.reveal()) >= 43
    assert set(digests("ozark-secure")) == {digest_of("first-secret"), digest_of(second.reveal())}
    hands.forward(hours=24, seconds=-0.5)
    assert digest_of("first-secret") in digests("ozark-secure")
    hands.forward(seconds=1)
    assert digests("ozark-secure") == (digest_of(second.reveal()),)


def test_TK_16_an_expired_secret_is_gone_even_from_a_fresh_copy(make: Any, hands: Any) -> None:
    make.client("ozark-secure", secret="first-secret")
    with writing() as tx:
        service.add_secret(tx, client_id="ozark-secure", now=hands.now, **WHO)
    hands.forward(hours=23, minutes=59, seconds=59.5)
    assert len(digests("ozark-secure")) == 2
    hands.forward(seconds=1)
    assert len(digests("ozark-secure")) == 1


def test_TK_16_at_most_two_secrets_live(make: Any, hands: Any) -> None:
    make.client("ozark-secure", secret="first-secret")
    made = []
    for _ in range(3):
        hands.forward(minutes=1)
        with writing() as tx:
            made.append(service.add_secret(tx, client_id="ozark-secure", now=hands.now, **WHO))
    assert set(digests("ozark-secure")) == {digest_of(secret.reveal()) for secret in made[1:]}


def test_a_secret_is_kept_as_a_digest_and_audited_without_it(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    with writing() as tx:
        service.add_secret(tx, client_id="ozark-secure", now=hands.now, secret=Secret("CNRY-given"), **WHO)
    with reading() as tx:
        (row,) = tx.scalars(select(AuditEvent).where(AuditEvent.type == Event.CLIENT_SECRET_CREATED.value)).all()
        held = tx.execute(text("SELECT digest FROM client_secret")).scalars().all()
    assert (row.client_id, row.actor) == ("ozark-secure", "staff:test")
    assert "CNRY" not in str(row.details)
    assert b"CNRY" not in b"".join(map(bytes, held))


def test_a_secret_that_it_holds_changes_nothing(make: Any, hands: Any) -> None:
    make.client("ozark-secure", secret="first-secret")
    before = service.find("ozark-secure")
    with writing() as tx:
        service.add_secret(tx, client_id="ozark-secure", now=hands.now, secret=Secret("first-secret"), **WHO)
    assert service.find("ozark-secure") is before


def test_who_keeps_no_secret_gets_none(make: Any, hands: Any) -> None:
    make.client("spa", registration={"token_endpoint_auth_method": "none"})
    with writing() as tx:
        assert service.add_secret(tx, client_id="spa", now=hands.now, **WHO) == Refused(Reason.KEEPS_NO_SECRET)
        assert service.add_secret(tx, client_id="nobody", now=hands.now, **WHO) == Refused(Reason.UNKNOWN)


def test_disabling_ends_what_was_issued_and_enabling_does_not_revive_it(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    with writing() as tx:
        assert service.disable(tx, client_id="ozark-secure", now=hands.now, **WHO) is None
        assert service.disable(tx, client_id="ozark-secure", now=hands.now, **WHO) == Refused(Reason.ALREADY_SO)
        assert service.disable(tx, client_id="nobody", now=hands.now, **WHO) == Refused(Reason.UNKNOWN)
    off = service.find("ozark-secure")
    assert off is not None
    assert (off.enabled, off.epoch) == (False, 2)
    with writing() as tx:
        assert service.enable(tx, client_id="ozark-secure", now=hands.now, **WHO) is None
    on = service.find("ozark-secure")
    assert on is not None
    assert (on.enabled, on.epoch) == (True, 2)
    with reading() as tx:
        types = tx.scalars(select(AuditEvent.type).order_by(AuditEvent.at, AuditEvent.sequence)).all()
    assert sorted(types) == [Event.CLIENT_DISABLED.value, Event.CLIENT_ENABLED.value]


def test_cors_answers_enabled_public_clients_only(make: Any, hands: Any) -> None:
    make.client("ozark-secure")
    make.client(
        "spa",
        registration={
            "token_endpoint_auth_method": "none",
            "redirect_uris": ["/cb", "https://spa.test:8443/cb", "com.example.app:/cb"],
        },
    )
    assert service.origins_of_public_clients() == {"https://spa.test", "https://spa.test:8443"}
    with writing() as tx:
        service.disable(tx, client_id="spa", now=hands.now, **WHO)
    assert service.origins_of_public_clients() == frozenset()


def test_ST_04_tins_of_a_registration_are_sealed_and_resealed(make: Any, hands: Any) -> None:
    approved = {"registry": "ozark", "tins": ["894865921"]}
    make.client("partner", partner=True, registration={"approved_for": approved})
    with reading() as tx:
        stored = str(tx.execute(select(Client.manifest)).scalar_one())
    assert "894865921" not in stored
    party = service.find("partner")
    assert party is not None
    assert party.registration.approved_for.tins == ("894865921",)  # type: ignore[union-attr]
    with writing() as tx:
        assert service.reseal(tx) == 0


def test_messages_carry_the_portals_brand(make: Any) -> None:
    make.client("ozark-secure", help={"phone": "1-800-555-0150", "hours": {"en": "days", "es": "días"}})
    party = service.find("ozark-secure")
    assert party is not None
    assert service.brand_of(party).help_hours == "days"
    spanish = service.brand_of(party, locale="es")
    assert (spanish.client_id, spanish.help_phone, spanish.help_hours) == ("ozark-secure", "1-800-555-0150", "días")
