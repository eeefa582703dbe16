"""What was typed is judged and kept; the managers are asked at the ceremony's end (B5)."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask_babel import LazyString
from sqlalchemy.orm import Session

from idp.affiliations.requests import service as requests
from idp.affiliations.requests.rules import REASON_LENGTH
from idp.affiliations.requests.service import Requester
from idp.enrollment.step import At, Kept, Step, Wrong
from idp.enrollment.steps.requestor_details import words
from idp.enrollment.steps.requestor_details.declared import DECLARED
from idp.enrollment.steps.requestor_details.forms import FIELDS, requestor_form
from idp.foundation.parsing import Form
from idp.subjects import service as subjects
from idp.subjects.rules import Reason, SubjectFacts, email_key, phone_number, spoken_name
from idp.subjects.words import REASONS
from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.refused import Refused

PICKED = "find_provider"


class RequestorDetails(Step):
    """B4, B5."""

    declared = DECLARED
    sentences = words.MISSING

    def form(self, at: At) -> type[Form]:
        known = _known(at.subject or at.signed_in)
        asked = {name for name in FIELDS if name not in known}
        return requestor_form(tuple(name for name in FIELDS if name in asked and _belongs(name, asked)))

    def shown(self, tx: Session, at: At) -> Mapping[str, Any]:
        told = at.kept.get(PICKED, {}).get("told", {})
        return {
            "labels": words.LABELS,
            "fields": tuple(self.form(at).model_fields),
            "longest": REASON_LENGTH,
            "target": told.get("target"),
            "whose": at.subject or at.signed_in,
        }

    def check(self, form: Any, at: At) -> Mapping[str, LazyString]:
        return dict(_wrong(form))

    def settle(self, tx: Session, form: Any, prepared: Any, at: At) -> Kept | Wrong:
        typed = {name: value for name in FIELDS if (value := getattr(form, name, "").strip())}
        typed["reason"] = _one_line_end(form.reason).strip()
        if "phone" in typed:
            typed["phone"] = phone_number(typed["phone"])
        typed.pop("confirm_email", None)
        person = at.subject or at.signed_in
        known = _known(person)
        own = {"subject_id": person.id} if person is not None and "email" in known else {}
        return Kept({"locale": at.locale, "zoneinfo": at.zoneinfo, **known, **typed, **own})

    def complete(self, tx: Session, at: At, *, subject_id: str | None) -> Refused | None:
        """The request to every manager of the provider; a second one to the same changes nothing."""
        said, picked = at.kept.get(self.declared.name, {}), at.kept.get(PICKED, {})
        if not said or not picked:
            return None
        outcome = requests.submit(
            tx,
            requester=_requester(said),
            party=at.party,
            kind=TargetKind.PROVIDER,
            target_id=UUID(picked["provider"]),
            reason=said["reason"],
            now=at.now,
            origin=at.origin,
        )
        return outcome if isinstance(outcome, Refused) else None


def _requester(said: Mapping[str, Any]) -> Requester:
    return Requester(
        email=said["email"],
        given_name=said["first_name"],
        family_name=said["last_name"],
        position=said["position"],
        phone=said["phone"],
        extension=said.get("extension", ""),
        locale=said["locale"],
        zoneinfo=said["zoneinfo"],
        subject_id=said.get("subject_id"),
    )


def _known(person: SubjectFacts | None) -> dict[str, str]:
    """What the account of somebody signed in says already; a mailbox counts only once it was proven."""
    if person is None:
        return {}
    found = {
        "first_name": person.given_name,
        "last_name": person.family_name,
        "email": person.email if person.email_verified_at is not None else None,
        "phone": subjects.phone_of(person),
    }
    return {name: text for name, text in found.items() if text}


def _belongs(name: str, asked: set[str]) -> bool:
    """Some fields are asked only beside another one."""
    beside = {"confirm_email": "email", "extension": "phone"}.get(name)
    return beside is None or beside in asked


def _wrong(form: Any) -> Iterator[tuple[str, LazyString]]:
    for name in ("first_name", "last_name", "position"):
        text = getattr(form, name, None)
        if text is not None and isinstance(spoken_name(text), Refused):
            yield name, REASONS[Reason.BAD_NAME]
    for name, grammar in (("email", email_key), ("phone", phone_number)):
        text = getattr(form, name, None)
        read = grammar(text.strip()) if text is not None else ""
        if isinstance(read, Refused):
            yield name, REASONS[Reason(read.reason)]
    if getattr(form, "email", None) is not None and form.email.casefold() != form.confirm_email.casefold():
        yield "confirm_email", words.DIFFERENT_EMAIL
    extension = getattr(form, "extension", "").strip()
    if extension and not (extension.isascii() and extension.isdigit()):
        yield "extension", words.BAD_EXTENSION
    reason = _one_line_end(form.reason).strip()
    if not reason or len(reason) > REASON_LENGTH:
        yield "reason", words.TOO_LONG if reason else words.MISSING["reason"]


def _one_line_end(text: str) -> str:
    """A line's end is one character, as the countdown in the browser takes it."""
    return text.replace("\r\n", "\n")
