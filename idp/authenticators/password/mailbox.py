"""The first proof of an account's mailbox: a mailed link, and the account's password typed at it (MODEL §6, A9).

For accounts that have both and nobody has proven the address of: imported people, above all. Who signs in with one
is told what everybody is told (SI-01), and asks for the link by *Forgot password*. Either half alone is worth nothing: who owns a mistyped address does not know the password, and who set the password before the owner of
the address came cannot open the link (RC-19). No password is ever set here (RC-14), and nobody is signed in.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.audit import service as audit
from idp.audit.events import Event
from idp.authenticators.password import budgets, facts, rules, setting
from idp.authenticators.password.kdf import Kdf, Verdict
from idp.authenticators.password.rules import Credential, Reason
from idp.foundation import artefacts, house
from idp.foundation.artefacts import Kind, Redeemed, digest_of
from idp.foundation.database import reading, writing
from idp.foundation.origin import Origin
from idp.messaging.rules import Link
from idp.relying_parties import service as relying_parties
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.settings import Settings
from idp.subjects import reserved
from idp.subjects import service as subjects
from idp.subjects.models import Subject
from idp.subjects.rules import Status, SubjectFacts
from idp.vocabulary.refused import Refused
from idp.vocabulary.secret import Secret

PATH: Final = "/sign-in/prove-mailbox"


@dataclass(frozen=True, slots=True)
class MadeBy:
    """Who made an account for somebody: the target, and how long the temporary password works."""

    target: str
    lifetime: timedelta


@dataclass(frozen=True, slots=True)
class OpenProof:
    """A link that is good now: whose it is, and where the person came from."""

    subject: SubjectFacts
    txn: UUID | None
    client_id: str | None
    reset: Secret | None = None
    """For who came with a temporary password: the link by which they choose their own, here and now (ruling 3)."""


def mail(
    tx: Session,
    *,
    subject: SubjectFacts,
    txn: UUID | None,
    client_id: str | None,
    now: datetime,
    made_by: MadeBy | None = None,
) -> None:
    """Owe the link to the stored address; whoever asked was counted, and earlier links are void.

    Who has proven that mailbox for another account gets no link but is told so (RC-15, ruling 6). With `made_by` it is
    the first mail of an account that somebody else made, and lives as long as the temporary password does.
    """
    party = relying_parties.find(client_id) if client_id else None
    owner = subjects.holder_of_email(tx, email=subject.email or "")
    if owner is not None and owner.id != subject.id:
        _tell_owner(tx, owner, party, now=now)
        return
    lifetime = house.get(Settings).reset_lifetime if made_by is None else made_by.lifetime
    payload = {
        "epoch": subject.epoch,
        "email": subject.email,
        "txn": str(txn) if txn else None,
        "client_id": client_id,
    }
    secret, identity = artefacts.issue(
        tx, kind=Kind.MAILBOX_PROOF, now=now, lifetime=lifetime, subject_id=subject.id, payload=payload
    )
    notices.notify(
        tx,
        notice="prove_mailbox" if made_by is None else "clerk_added",
        subject=subject,
        party=party,
        context={
            "url": Secret(f"{house.get(Settings).issuer}{PATH}?token={secret.reveal()}"),
            **({} if made_by is None else {"target": made_by.target, "user_id": subject.user_id}),
        },
        now=now,
        link=Link(identity, lifetime),
    )


def _tell_owner(tx: Session, owner: SubjectFacts, party: RelyingParty | None, *, now: datetime) -> None:
    begins = party.absolute(party.registration.initiate_login_uri or "/") if party is not None else None
    url = begins or f"{house.get(Settings).issuer}/account/"
    notices.notify(tx, notice="already_registered", subject=owner, party=party, context={"url": url}, now=now)


def look_at_link(token: str, *, now: datetime) -> OpenProof | Refused:
    """What a link is good for; uses nothing up (RC-09)."""
    with reading() as tx:
        return _peeked(tx, token, now=now)


def prove(token: str, *, plain: Secret, now: datetime, origin: Origin) -> OpenProof | Refused:
    """Link and password together: the mailbox is proven, once, and the account is active (RC-01).

    A wrong password leaves the link as it was and counts like one at sign-in (SI-20). Whatever else hung on the
    account is dead after it (RC-19).
    """
    with writing() as tx:
        link = _peeked(tx, token, now=now)
        if isinstance(link, Refused):
            return link
        credential = facts.credential_of(tx, subject_id=link.subject.id)
        refused = budgets.reserve(tx, account=link.subject.id, now=now)
        if refused is not None or credential is None:
            reason = refused.reason if refused is not None else Reason.NO_PASSWORD
            _audit(tx, link, outcome=reason.value, now=now, origin=origin)
            return refused or Refused(Reason.NO_PASSWORD)
    kdf = house.get(Kdf)
    verdict = kdf.check(plain, digest=credential.digest)
    fresh = kdf.digest(plain) if isinstance(verdict, Verdict) and verdict.outdated else None
    with writing() as tx:
        outcome = (
            verdict
            if isinstance(verdict, Refused)
            else _activate(tx, token, link, credential, verdict, now=now, origin=origin)
        )
        if isinstance(outcome, Refused):
            if outcome.reason is Reason.BUSY:
                budgets.nothing_tried(tx, account=link.subject.id, now=now)
            _audit(tx, link, outcome=outcome.reason.value, now=now, origin=origin)
            return outcome
        if credential.must_change:
            link = replace(link, reset=_spend_temporary(tx, outcome, link, now=now))
        else:
            setting.refresh(tx, subject=link.subject, credential=credential, plain=plain, digest=fresh)
        budgets.succeeded(tx, account=link.subject.id, now=now)
        _audit(tx, link, outcome="ok", now=now, origin=origin)
    return link


def _spend_temporary(tx: Session, row: Subject, link: OpenProof, *, now: datetime) -> Secret:
    """The temporary password is used up with the proof: whoever typed it for somebody cannot come first (ruling 3)."""
    setting.make_useless(tx, subject=row, now=now)
    secret, _identity = artefacts.issue(
        tx,
        kind=Kind.PASSWORD_RESET,
        now=now,
        lifetime=house.get(Settings).reset_lifetime,
        subject_id=row.id,
        payload={
            "epoch": row.epoch,
            "email": row.email,
            "txn": str(link.txn) if link.txn else None,
            "client_id": link.client_id,
        },
    )
    return secret


def _activate(
    tx: Session,
    token: str,
    link: OpenProof,
    credential: Credential,
    verdict: Verdict,
    *,
    now: datetime,
    origin: Origin,
) -> Subject | Refused:
    row = tx.get(Subject, link.subject.id, with_for_update=True)
    stored = facts.credential_of(tx, subject_id=link.subject.id)
    if not verdict.right or rules.temporary_has_expired(credential, now=now):
        return Refused(Reason.WRONG_PASSWORD)
    if row is None or stored is None or stored.digest != credential.digest:
        return Refused(Reason.CHANGED_MEANWHILE)
    used = artefacts.redeem(tx, kind=Kind.MAILBOX_PROOF, digest=digest_of(token), now=now)
    if isinstance(used, Refused) or isinstance(_opened(tx, used), Refused):
        return Refused(Reason.DEAD_LINK)
    if row.email_key is None and not subjects.claim_email(
        tx, subject_id=row.id, email=row.email or "", actor=row.id, now=now, origin=origin
    ):
        return Refused(Reason.DEAD_LINK)
    row.status, row.email_verified_at, row.updated_at = Status.ACTIVE.value, now, now
    row.epoch += 1
    row.version += 1
    artefacts.void(tx, now=now, subject_id=row.id)
    if row.email_key is not None:
        reserved.void_pending(tx, key=row.email_key, now=now)
    return row


def _peeked(tx: Session, token: str, *, now: datetime) -> OpenProof | Refused:
    found = artefacts.peek(tx, kind=Kind.MAILBOX_PROOF, digest=digest_of(token), now=now)
    return Refused(Reason.DEAD_LINK) if isinstance(found, Refused) else _opened(tx, found)


def _opened(tx: Session, found: Redeemed) -> OpenProof | Refused:
    """A link dies with what it was made for: an address taken away or proven, a disabled account."""
    subject = subjects.by_id(tx, subject_id=found.subject_id or "")
    issued: Any = found.payload
    if subject is None or subject.status is not Status.UNVERIFIED:
        return Refused(Reason.DEAD_LINK)
    if (subject.epoch, subject.email) != (issued.get("epoch"), issued.get("email")):
        return Refused(Reason.DEAD_LINK)
    txn = issued.get("txn")
    return OpenProof(subject, UUID(txn) if txn else None, issued.get("client_id"))


def _audit(tx: Session, link: OpenProof, *, outcome: str, now: datetime, origin: Origin) -> None:
    audit.append(
        tx,
        Event.MAILBOX_PROVEN,
        now=now,
        actor=link.subject.id,
        origin=origin,
        outcome=outcome,
        subject_id=link.subject.id,
        client_id=link.client_id,
    )
