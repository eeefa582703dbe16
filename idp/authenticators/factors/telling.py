"""Telling people that a factor of theirs was added or removed: by mail, and by text to the telephones (AU-10)."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from idp.authenticators.alerts import links as alerts
from idp.foundation import limiter
from idp.foundation.limiter import Budget
from idp.relying_parties.rules import RelyingParty
from idp.sessions import notices
from idp.subjects import service as subjects
from idp.subjects.rules import SubjectFacts
from idp.vocabulary.refused import Refused

_DAY: Final = timedelta(days=1)
_TO_ACCOUNT: Final = Budget(name="factor_texts_to_account", limit=6, window=_DAY, lock_first=_DAY, lock_max=_DAY)
_OF_ALL: Final = Budget(
    name="factor_texts", limit=1000, window=timedelta(hours=1), lock_first=timedelta(hours=1), lock_max=_DAY
)
"""SMS costs money: what one person, and all together, may cause (RX-10). Whoever is over it has the mail."""


def tell(
    tx: Session,
    notice: str,
    *,
    subject: SubjectFacts,
    kind: str,
    name: str,
    now: datetime,
    phone: str | None = None,
    party: RelyingParty | None = None,
    undo: bool = True,
) -> None:
    """By mail, and by text to the account's proven telephone and to the factor's own number, `phone`.

    *This wasn't me* goes to the account's own channels. A number that was added or removed as a factor gets the news
    only: it may be the one that was not theirs. Without `undo` nobody gets it: the account goes, or the link was used.
    """
    context = {"kind": kind, "factor_name": name}
    told = {"notice": notice, "subject": subject, "party": party, "now": now}
    if subject.email is not None:
        url, link = alerts.link_for(tx, subject, now=now) if undo else (None, None)
        notices.notify(tx, context={**context, "url": url}, link=link, **told)  # type: ignore[arg-type]
    own = subjects.phone_of(subject) if subject.phone_verified_at is not None else None
    for number in sorted({own, phone} - {None}):  # type: ignore[type-var]
        if _may_text(tx, subject, now=now):
            url = alerts.link_for(tx, subject, now=now)[0] if undo and number == own else None
            notices.text_person(tx, phone=str(number), context={**context, "url": url}, **told)  # type: ignore[arg-type]


def _may_text(tx: Session, subject: SubjectFacts, *, now: datetime) -> bool:
    return not any(
        isinstance(limiter.reserve(tx, budget=budget, key=key, now=now), Refused)
        for budget, key in ((_TO_ACCOUNT, subject.id), (_OF_ALL, "all"))
    )
