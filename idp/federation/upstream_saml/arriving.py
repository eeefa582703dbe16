"""A SAML answer comes home: its request and its assertion are used up in the one transaction of what they lead to (FE-35)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.federation import requests, service, sign_out, trials
from idp.federation.connections.facts import Applied
from idp.federation.requests import Asked, Purpose
from idp.federation.rules import Reason, identity_of
from idp.federation.service import By, Outcome
from idp.federation.sign_out import Told
from idp.federation.upstream_saml import rules, theirs
from idp.federation.upstream_saml import service as upstream
from idp.federation.upstream_saml.logout import LogoutAsked
from idp.federation.upstream_saml.service import Carried
from idp.federation.upstream_saml.words import EXPLAINED
from idp.foundation import artefacts
from idp.foundation.artefacts import Kind
from idp.foundation.database import reading, writing
from idp.foundation.jose import LEEWAY
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

_TO_PEOPLE: Final[Mapping[StrEnum, Reason]] = {
    rules.Reason.DENIED: Reason.DENIED,
    rules.Reason.NO_AUTHN_CONTEXT: Reason.DENIED,
    rules.Reason.UNSOLICITED: Reason.STATE,
    rules.Reason.IN_RESPONSE_TO: Reason.STATE,
    rules.Reason.SUBJECT: Reason.BAD_SUBJECT,
    rules.Reason.TRANSIENT: Reason.BAD_SUBJECT,
    rules.Reason.NAME_ID_FORMAT: Reason.BAD_SUBJECT,
    rules.Reason.REPLAYED: Reason.REPLAYED,
    **dict.fromkeys(theirs.Reason, Reason.UNFIT_METADATA),
}


def to_people(wrong: StrEnum) -> Reason:
    """The one of the shared reasons that stands for what is wrong with an answer."""
    return _TO_PEOPLE.get(wrong, Reason.TOKEN)


def note(applied: Applied, wrong: StrEnum, *, by: By) -> None:
    """Audit an answer that was refused where it was posted; whose it is cannot be known there."""
    with writing() as tx:
        _audit(tx, applied, wrong, by=by)


def arrive(applied: Applied, carried: Carried, *, state: Secret, by: By) -> tuple[Outcome, Asked | None]:
    """What a verified answer leads to in the browser that asked for it; of two answers, or two tellings of one, one counts."""
    with writing() as tx:
        asked = requests.use_up(
            tx, state.reveal(), connection=applied.name, browser_digest=by.browser_digest, now=by.now
        )
        if isinstance(asked, Refused):
            return asked, None
        wrong = upstream.too_old(asked, carried.said, now=by.now)
        identity = wrong or identity_of(applied.name, applied.connection, carried.said)
        if not is_first(tx, applied, carried.assertion_id, until=carried.until, now=by.now):
            identity = Refused(rules.Reason.REPLAYED)
        if isinstance(identity, Refused):
            _audit(tx, applied, identity.reason, by=by, asked=asked)
            return _failed(tx, applied, identity.reason, asked, by=by), asked
        if asked.purpose is not Purpose.TEST:
            return service.arrived(tx, identity=identity, asked=asked, by=by, hint=upstream.hint_of(carried)), asked
        if _is_tester(asked, by):
            trials.keep(tx, applied, identity, now=by.now)
        return Refused(Reason.STATE), asked


def is_first(tx: Session, applied: Applied, assertion_id: str, *, until: datetime, now: datetime) -> bool:
    """Whether an assertion comes for the first time; it is remembered for as long as it could come again."""
    value = f"saml {applied.connection.issuer} {assertion_id}"
    return artefacts.record_once(tx, kind=Kind.UPSTREAM_ONCE, value=value, now=now, lifetime=until - now + 2 * LEEWAY)


def unasked(applied: Applied, carried: Carried, *, by: By) -> bool:
    """Use up an assertion that nobody asked for, where the connection allows that; `False` when it was used before."""
    with writing() as tx:
        first = is_first(tx, applied, carried.assertion_id, until=carried.until, now=by.now)
        if not first:
            _audit(tx, applied, rules.Reason.REPLAYED, by=by)
        return first


def ended(applied: Applied, asked: LogoutAsked, *, by: By) -> int | Refused:
    """End what rests on the sessions that a genuine request names, once (FE-45); of nobody else's, whatever it names."""
    indices: tuple[str | None, ...] = asked.sessions or (None,)
    messages = [f"{asked.request_id} {index or ''}" for index in indices]
    done = 0
    with writing() as tx:
        for message, index in zip(messages, indices, strict=True):
            said = Told(message=message, subject=asked.name_id, session=index)
            told_of = sign_out.told(tx, applied, said, now=by.now, origin=by.origin)
            if isinstance(told_of, Refused):
                return told_of
            done += told_of
    return done


def told(applied: Applied, why: str, *, state: str, by: By) -> tuple[Refused, Asked | None]:
    """What was wrong with the answer that was posted, for the browser that waits for it; it is audited already."""
    with reading() as tx:
        asked = requests.look(tx, state, connection=applied.name, browser_digest=by.browser_digest, now=by.now)
    wrong = next((each for each in EXPLAINED if each.value == why), None)
    if isinstance(asked, Refused) or wrong is None:
        return Refused(Reason.STATE), None
    if asked.purpose is not Purpose.TEST:
        return Refused(to_people(wrong)), asked
    with writing() as tx:
        used = requests.use_up(tx, state, connection=applied.name, browser_digest=by.browser_digest, now=by.now)
        if isinstance(used, Refused):
            return used, None
        return _failed(tx, applied, wrong, used, by=by), used


def _failed(tx: Session, applied: Applied, wrong: StrEnum, asked: Asked, *, by: By) -> Refused:
    if asked.purpose is Purpose.TEST and _is_tester(asked, by):
        trials.keep(tx, applied, wrong, now=by.now)
    return Refused(wrong if isinstance(wrong, Reason) else to_people(wrong))


def _is_tester(asked: Asked, by: By) -> bool:
    return by.session is not None and by.session.subject_id == asked.by


def _audit(tx: Session, applied: Applied, wrong: StrEnum, *, by: By, asked: Asked | None = None) -> None:
    details = {"connection": applied.name, "issuer": applied.connection.issuer, "wrong": wrong.value}
    audit.append(
        tx,
        Event.UPSTREAM_REFUSED,
        now=by.now,
        actor="anonymous" if by.session is None else by.session.subject_id,
        origin=by.origin,
        outcome=(wrong if isinstance(wrong, Reason) else to_people(wrong)).value,
        details=details if asked is None else details | {"purpose": asked.purpose.value},
    )
