"""What an answer must say to count: for us, now, for this request, about one person (SAML profiles §4.1.4.3). Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.federation.upstream_saml import moments
from idp.federation.upstream_saml.names import BEARER, ENTITY, TRANSIENT, A
from idp.foundation.jose import LEEWAY
from idp.foundation.xml import Node
from idp.vocabulary.refused import Refused

LONGEST: Final = timedelta(hours=24)
"""How long an assertion may let itself be presented: so long it is remembered (FE-35)."""
_ID_MAX: Final = 256
_NAME_MAX: Final = 255
_TEXT_MAX: Final = 1024
_VALUES: Final = 2_000
_CONDITIONS: Final = frozenset({f"{A}AudienceRestriction", f"{A}OneTimeUse", f"{A}ProxyRestriction"})


class Reason(StrEnum):
    """Why a SAML message is not taken; `words` says each to whoever tests a connection."""

    UNREADABLE = "unreadable"
    NOT_A_RESPONSE = "not_a_response"
    DENIED = "denied"
    NO_AUTHN_CONTEXT = "no_authn_context"
    ENCRYPTED = "encrypted"
    ASSERTIONS = "assertions"
    """None, or more than one."""
    UNSIGNED = "unsigned_assertion"
    ISSUER = "issuer"
    DESTINATION = "destination"
    RECIPIENT = "recipient"
    AUDIENCE = "audience"
    CONDITIONS = "conditions"
    CONFIRMATION = "confirmation"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    TOO_LONG = "too_long"
    IN_RESPONSE_TO = "in_response_to"
    UNSOLICITED = "unsolicited"
    STATEMENT = "statement"
    SUBJECT = "subject"
    TRANSIENT = "transient"
    NAME_ID_FORMAT = "name_id_format"
    REPLAYED = "replayed"


@dataclass(frozen=True, slots=True)
class Expected:
    """Whom an assertion must come from and be for, and the request that it must answer."""

    issuer: str
    audience: str
    recipient: str
    request_id: str | None
    """`None`: nobody asked, and only one that answers nothing is taken (FE-37)."""
    name_id_format: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A genuine assertion about one person, in the provider's words."""

    assertion_id: str
    name_id: str = field(repr=False)
    name_id_format: str | None
    in_response_to: str | None
    session_index: str | None
    authenticated_at: datetime
    context: str | None
    """AuthnContextClassRef."""
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)
    until: datetime
    """The last moment at which it could be presented again."""


def judge(assertion: Node, *, expected: Expected, now: datetime) -> Answer | Refused:
    """Read a *verified* assertion; everything that it says must be understood, or it is refused."""
    identity = assertion.attributes.get("ID", "")
    issued = moments.read(assertion.attributes.get("IssueInstant"))
    if assertion.attributes.get("Version") != "2.0" or not 0 < len(identity) <= _ID_MAX or issued is None:
        return Refused(Reason.UNREADABLE)
    if issued > now + LEEWAY:
        return Refused(Reason.NOT_YET)
    if not is_issuer(assertion.only(f"{A}Issuer"), expected.issuer):
        return Refused(Reason.ISSUER)
    until = _subject_confirmed(assertion, expected=expected, now=now)
    if isinstance(until, Refused):
        return until
    wrong = _conditions(assertion, audience=expected.audience, now=now)
    if wrong is not None:
        return wrong
    name = _name_id(assertion, wanted=expected.name_id_format)
    statement = _statement(assertion, now=now)
    if isinstance(name, Refused):
        return name
    if isinstance(statement, Refused):
        return statement
    at, context, index = statement
    return Answer(
        assertion_id=identity,
        name_id=name.text,
        name_id_format=name.attributes.get("Format"),
        in_response_to=expected.request_id,
        session_index=index,
        authenticated_at=at,
        context=context,
        attributes=_attributes(assertion),
        until=until,
    )


def is_issuer(issuer: Node | None, expected: str) -> bool:
    """Whether an `Issuer` names just that entity (SAML core §2.2.5)."""
    if issuer is None or issuer.children or issuer.attributes.get("Format", ENTITY) != ENTITY:
        return False
    return issuer.text.strip() == expected


def too_early_or_late(node: Node, *, now: datetime) -> Reason | None:
    """What is wrong with `NotBefore` and `NotOnOrAfter`, where they stand; one that cannot be read is wrong too."""
    begins, ends = node.attributes.get("NotBefore"), node.attributes.get("NotOnOrAfter")
    if begins is not None:
        moment = moments.read(begins)
        if moment is None or moment > now + LEEWAY:
            return Reason.NOT_YET
    if ends is not None:
        moment = moments.read(ends)
        if moment is None or moment <= now - LEEWAY:
            return Reason.EXPIRED
    return None


def _subject_confirmed(assertion: Node, *, expected: Expected, now: datetime) -> datetime | Refused:
    """The one bearer confirmation: for our address, for a while, for this request."""
    subject = assertion.only(f"{A}Subject")
    confirmations = () if subject is None else subject.all(f"{A}SubjectConfirmation")
    bearers = [each for each in confirmations if each.attributes.get("Method") == BEARER]
    data = bearers[0].only(f"{A}SubjectConfirmationData") if len(bearers) == 1 else None
    if data is None:
        return Refused(Reason.CONFIRMATION)
    if data.attributes.get("Recipient") != expected.recipient:
        return Refused(Reason.RECIPIENT)
    until = moments.read(data.attributes.get("NotOnOrAfter"))
    if until is None:
        return Refused(Reason.CONFIRMATION)
    wrong = too_early_or_late(data, now=now)
    if wrong is not None:
        return Refused(wrong)
    if until > now + LONGEST:
        return Refused(Reason.TOO_LONG)
    answers = data.attributes.get("InResponseTo")
    if answers != expected.request_id:
        return Refused(Reason.UNSOLICITED if answers is None else Reason.IN_RESPONSE_TO)
    return until


def _conditions(assertion: Node, *, audience: str, now: datetime) -> Refused | None:
    conditions = assertion.only(f"{A}Conditions")
    if conditions is None or any(child.name not in _CONDITIONS for child in conditions.children):
        return Refused(Reason.CONDITIONS)
    wrong = too_early_or_late(conditions, now=now)
    if wrong is not None:
        return Refused(wrong)
    restrictions = conditions.all(f"{A}AudienceRestriction")
    named = [[each.text.strip() for each in restriction.all(f"{A}Audience")] for restriction in restrictions]
    return None if named and all(audience in each for each in named) else Refused(Reason.AUDIENCE)


def _name_id(assertion: Node, *, wanted: str | None) -> Node | Refused:
    """The whole text of one NameID, or none of it (FE-32)."""
    subject = assertion.only(f"{A}Subject")
    name = subject.only(f"{A}NameID") if subject is not None else None
    if name is None or name.children or not name.text or name.text != name.text.strip():
        return Refused(Reason.SUBJECT)
    if len(name.text) > _NAME_MAX:
        return Refused(Reason.SUBJECT)
    form = name.attributes.get("Format")
    if form == TRANSIENT:
        return Refused(Reason.TRANSIENT)
    return name if wanted is None or form == wanted else Refused(Reason.NAME_ID_FORMAT)


def _statement(assertion: Node, *, now: datetime) -> tuple[datetime, str | None, str | None] | Refused:
    """When and how the person signed in there: said once."""
    statement = assertion.only(f"{A}AuthnStatement")
    at = moments.read(statement.attributes.get("AuthnInstant")) if statement is not None else None
    if statement is None or at is None:
        return Refused(Reason.STATEMENT)
    if at > now + LEEWAY:
        return Refused(Reason.NOT_YET)
    ends = statement.attributes.get("SessionNotOnOrAfter")
    if ends is not None:
        moment = moments.read(ends)
        if moment is None or moment <= now - LEEWAY:
            return Refused(Reason.EXPIRED)
    context = statement.only(f"{A}AuthnContext")
    named = context.only(f"{A}AuthnContextClassRef") if context is not None else None
    reference = named.text.strip() if named is not None and not named.children else ""
    index = statement.attributes.get("SessionIndex", "")
    return at, reference if 0 < len(reference) <= _NAME_MAX else None, index if 0 < len(index) <= _NAME_MAX else None


def _attributes(assertion: Node) -> Mapping[str, tuple[str, ...]]:
    """Attributes by name, texts only; of the same name twice all values count, so that none can hide another."""
    found: dict[str, tuple[str, ...]] = {}
    for statement in assertion.all(f"{A}AttributeStatement"):
        for attribute in statement.all(f"{A}Attribute"):
            name = attribute.attributes.get("Name", "")
            values = [each.text for each in attribute.all(f"{A}AttributeValue") if not each.children]
            found[name] = (*found.get(name, ()), *(value for value in values if len(value) <= _TEXT_MAX))[:_VALUES]
    return found
