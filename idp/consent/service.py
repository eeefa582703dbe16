"""Agreements accepted, consents remembered and revoked."""

from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.consent import grants
from idp.consent.models import AgreementAcceptance, Consent
from idp.consent.rules import Kind, Text
from idp.foundation.origin import Origin
from idp.foundation.prepared import prepared
from idp.relying_parties.rules import RelyingParty


def agreements_of(party: RelyingParty) -> tuple[Text, ...]:
    """Every text that a person must have accepted at this portal, in the order in which they are shown."""
    manifest = party.manifest
    texts = []
    if manifest.banner is not None and manifest.banner.must_accept:
        texts.append(Text(Kind.BANNER, manifest.banner.version))
    if manifest.sign_in.terms is not None:
        texts.append(Text(Kind.TERMS, manifest.sign_in.terms.version))
    if manifest.agreement is not None:
        texts.append(Text(Kind.AGREEMENT, manifest.agreement.version))
    return tuple(texts)


_acceptance = AgreementAcceptance.__table__
_ACCEPTED: Final = prepared(
    select(_acceptance.c.kind, _acceptance.c.version).where(
        _acceptance.c.subject_id == bindparam("subject_id"), _acceptance.c.client_id == bindparam("client_id")
    )
)


def accepted_by(tx: Session, *, subject_id: str, client_id: str) -> frozenset[Text]:
    """What the person has accepted at this portal, every version."""
    rows = tx.execute(_ACCEPTED, {"subject_id": subject_id, "client_id": client_id})
    return frozenset(Text(Kind(row.kind), row.version) for row in rows)


def accept(tx: Session, *, subject_id: str, party: RelyingParty, text: Text, now: datetime, origin: Origin) -> bool:
    """Keep that the person accepted a text: which words, when and from where (C10); `False` if they had already."""
    before = accepted_by(tx, subject_id=subject_id, client_id=party.client_id)
    return text in _accepted(tx, before, subject_id=subject_id, party=party, text=text, now=now, origin=origin) - before


def _accepted(
    tx: Session,
    before: frozenset[Text],
    *,
    subject_id: str,
    party: RelyingParty,
    text: Text,
    now: datetime,
    origin: Origin,
) -> frozenset[Text]:
    """All that the person has accepted, with this text, which is kept where it was not among it."""
    if text in before:
        return before
    tx.add(
        AgreementAcceptance(
            subject_id=subject_id,
            client_id=party.client_id,
            kind=text.kind.value,
            version=text.version,
            text_digest=_digest(party, text),
            accepted_at=now,
            address=origin.address[:45],
        )
    )
    audit.append(
        tx,
        Event.AGREEMENT_ACCEPTED,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        client_id=party.client_id,
        details={"kind": text.kind.value, "version": text.version},
    )
    return before | {text}


def audit_declined(
    tx: Session, *, subject_id: str, party: RelyingParty, text: Text, now: datetime, origin: Origin
) -> None:
    """Note that the person would not accept a text and left."""
    audit.append(
        tx,
        Event.AGREEMENT_DECLINED,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        client_id=party.client_id,
        details={"kind": text.kind.value, "version": text.version},
    )


def accept_terms(
    tx: Session, *, subject_id: str, party: RelyingParty, now: datetime, origin: Origin
) -> frozenset[Text]:
    """Pressing *Accept & Login* accepts the terms beside the button (B1); tells all that the person has accepted here."""
    before, terms = accepted_by(tx, subject_id=subject_id, client_id=party.client_id), party.manifest.sign_in.terms
    if terms is None:
        return before
    text = Text(Kind.TERMS, terms.version)
    return _accepted(tx, before, subject_id=subject_id, party=party, text=text, now=now, origin=origin)


def words_of(party: RelyingParty, text: Text, *, locale: str) -> str:
    """The words of a text in the reader's language, else in English; Markdown, or plain for a banner."""
    if text.kind is Kind.BANNER and party.manifest.banner is not None:
        words = party.manifest.banner.text
        return words.es if locale == "es" else words.en
    stem = f"{text.kind.value}-{text.version}"
    return party.texts.get(f"{stem}.{locale}.md") or party.texts.get(f"{stem}.en.md", "")


def remembered(tx: Session, *, subject_id: str, client_id: str, affiliation_id: UUID | None) -> frozenset[str]:
    """Scopes that the person has released to this app for this affiliation before, and not taken back."""
    rows = tx.scalars(
        select(Consent.scopes).where(
            Consent.subject_id == subject_id,
            Consent.client_id == client_id,
            Consent.revoked_at.is_(None),
            Consent.affiliation_id == affiliation_id
            if affiliation_id is not None
            else Consent.affiliation_id.is_(None),
        )
    )
    return frozenset(name for scopes in rows for name in scopes.split())


def hold(tx: Session, *, subject_id: str, client_id: str) -> None:
    """Let nobody take a consent back until this transaction ends: what it then makes is there to be ended (RA-09)."""
    of_app = (Consent.subject_id == subject_id, Consent.client_id == client_id, Consent.revoked_at.is_(None))
    tx.execute(select(Consent.id).where(*of_app).with_for_update(read=True)).all()


def remember(
    tx: Session,
    *,
    subject_id: str,
    client_id: str,
    affiliation_id: UUID | None,
    scopes: Collection[str],
    now: datetime,
    origin: Origin,
) -> None:
    """Keep a yes for next time; what was released before for the same affiliation is added to."""
    before = remembered(tx, subject_id=subject_id, client_id=client_id, affiliation_id=affiliation_id)
    if not set(scopes) <= before:
        tx.add(
            Consent(
                subject_id=subject_id,
                client_id=client_id,
                affiliation_id=affiliation_id,
                scopes=" ".join(sorted(set(scopes) - before)),
                granted_at=now,
            )
        )
    audit.append(
        tx,
        Event.CONSENT_GIVEN,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        client_id=client_id,
        details={"scopes": " ".join(sorted(scopes))},
    )


def revoke(tx: Session, *, subject_id: str, client_id: str, now: datetime, origin: Origin) -> bool:
    """Take back every consent to an app; its grants die with it. `False` if there was none."""
    taken = tx.execute(
        update(Consent)
        .where(Consent.subject_id == subject_id, Consent.client_id == client_id, Consent.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    ended = grants.revoke_at_client(tx, subject_id=subject_id, client_id=client_id, reason="consent_revoked", now=now)
    if not taken.rowcount and not ended:  # type: ignore[attr-defined]
        return False
    audit.append(
        tx,
        Event.CONSENT_REVOKED,
        now=now,
        actor=subject_id,
        origin=origin,
        subject_id=subject_id,
        client_id=client_id,
    )
    return True


def _digest(party: RelyingParty, text: Text) -> str:
    return sha256(words_of(party, text, locale="en").encode()).hexdigest()
