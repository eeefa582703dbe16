"""Everything typed must match one record; only then is it told whether somebody manages that provider (EN-06, C8)."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import LazyString
from sqlalchemy.orm import Session

from idp.affiliations.registering import service as registering
from idp.affiliations.registering.rules import Outcome
from idp.affiliations.registering.service import Proof
from idp.affiliations.requests.rules import REASON_LENGTH
from idp.enrollment import claims
from idp.enrollment.refusals import sentence_for
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.associate_provider import words
from idp.enrollment.steps.associate_provider.declared import DECLARED, field_name
from idp.enrollment.steps.associate_provider.forms import associate_form
from idp.enrollment.steps.associate_provider.matching import Candidates, match
from idp.enrollment.steps.associate_provider.rules import Reason
from idp.foundation.parsing import Form
from idp.vocabulary.refused import Refused

_NUMBERS = ("tin", "provider_id", "npi")


class AssociateProvider(Step):
    """C6–C9."""

    declared = DECLARED
    sentences = {"provider_type": words.CHOOSE_TYPE}

    def form(self, at: At) -> type[Form]:
        return associate_form(at.options)

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        return {
            "types": [
                (kind, words.TYPES[kind], [field_name(kind, name) for name in names])
                for kind, names in at.options.asked().items()
            ],
            "labels": words.LABELS,
            "tip": words.TIP,
            "longest": REASON_LENGTH,
        }

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        return dict(_missing(form, at))

    def reserve(self, tx: Session, form: Any, at: At) -> Refused | None:
        return claims.count(tx, at, _numbers(form, at))

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        found = match(tx, at, kind=form.provider_type, typed=_typed(form, at), choice=form.choice)
        if isinstance(found, Refused):
            return claims.no_match(found)
        claims.matched(tx, at, _numbers(form, at))
        if isinstance(found, Candidates):
            return Wrong(
                Reason.SEVERAL, errors={"choice": words.CHOOSE}, show={"choices": found.records}, audited=False
            )
        return _foreseen(tx, form, at, found)

    def proof(self, at: At) -> Proof | None:
        return claims.proof_of(at.kept.get(self.declared.name))


def _foreseen(tx: Session, form: Any, at: At, found: dict[str, Any]) -> Kept | Wrong:
    """What the match would become; who is managed already is asked for, by a request from this very page (C8)."""
    proof = claims.proof_of(found)
    assert proof is not None, "a match names its target"
    becomes = registering.foresee(
        tx, subject_id=at.subject.id if at.subject else None, party=at.party, proof=proof, now=at.now
    )
    if isinstance(becomes, Refused):
        return Wrong(becomes.reason, problem=sentence_for(becomes))
    if becomes.outcome is not Outcome.REQUESTED:
        return Kept(found)
    show = {"managed": found["told"]["target"], "choice": form.choice}
    if form.send_request != "yes":
        return Wrong(Reason.MANAGED, show=show)
    reason = form.request_reason.replace("\r\n", "\n").strip()
    if not reason or len(reason) > REASON_LENGTH:
        sentence = words.TOO_LONG if reason else words.SAY_WHY
        return Wrong(Reason.MANAGED, errors={"request_reason": sentence}, show=show, audited=False)
    return Kept({**found, "reason": reason}, ends=True)


def _missing(form: Any, at: At) -> Iterator[tuple[str, LazyString]]:
    """Every field that the portal asks of the chosen type; the other type's are not looked at."""
    for name in at.options.asked()[form.provider_type]:
        field = field_name(form.provider_type, name)
        if not getattr(form, field).strip():
            yield field, words.MISSING[field]


def _typed(form: Any, at: At) -> dict[str, str]:
    kind = form.provider_type
    return {name: getattr(form, field_name(kind, name)) for name in at.options.asked()[kind]}


def _numbers(form: Any, at: At) -> tuple[str, ...]:
    """The numbers typed, each counted by itself: neither can be walked with the other held still."""
    return tuple(text for name, text in _typed(form, at).items() if name in _NUMBERS)
