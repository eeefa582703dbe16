"""The dispatcher's rule: request and facts in, the next step, a refusal, or leave to proceed out (DESIGN §4.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from idp.affiliations.rules import Choice
from idp.sessions.rules import Participation, SessionFacts, TransactionFacts, Upstream
from idp.sign_in.assurance.rules import Equipment, Missing, Terms, Wish, after_password, lack
from idp.vocabulary.assurance import Factor
from idp.vocabulary.refused import Refused
from idp.vocabulary.scopes import OPENID, Scope


class Step(StrEnum):
    """The pages of a sign-in; each is a room's own, at `/sign-in/<transaction>/<step>`."""

    IDENTIFY = "identify"
    PASSWORD = "password"
    SECOND_FACTOR = "second-factor"
    SET_UP_MFA = "set-up-mfa"
    CHANGE_PASSWORD = "change-password"
    AGREEMENT = "agreement"
    ACCESS_OFFERED = "access-offered"
    CHOOSE = "choose"
    CANNOT_ACT = "cannot-act"
    CONSENT = "consent"
    FIRST_TIME = "first-time"
    LINK = "link-identity"


class Reason(StrEnum):
    """OAuth and OIDC error codes that a sign-in can end with (OIDC Core §3.1.2.6, RFC 6749 §4.1.2.1)."""

    LOGIN_REQUIRED = "login_required"
    INTERACTION_REQUIRED = "interaction_required"
    CONSENT_REQUIRED = "consent_required"
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
    ACCESS_DENIED = "access_denied"
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A validated authorization request, or a visit to one of the provider's own pages (`client_id` is then `None`)."""

    client_id: str | None
    redirect_uri: str = ""
    state: str | None = None
    nonce: str | None = None
    scope: Scope = Scope()
    prompt: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    acr_values: tuple[str, ...] = ()
    essential_acr: tuple[str, ...] = ()
    login_hint: str | None = None
    hinted_subject: str | None = None
    """The `sub` that a valid `id_token_hint` or the `claims` parameter names; nobody else's session answers (AZ-23)."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    claim_scopes: frozenset[str] = frozenset()
    """Scopes that would release the single claims asked by `claims`: consent is about these too (OIDC Core §5.5)."""
    provider_ids: tuple[str, ...] = ()
    """All `provider_id` values the request narrows to, by scope or by the `claims` parameter."""
    tins: tuple[str, ...] = ()
    ui_locales: str | None = None
    code_challenge: str = ""
    resource: tuple[str, ...] = ()
    return_to: str | None = None
    """Endpoint of the own page that asked for a sign-in."""
    fresh: bool = False
    """The own page wants a strong proof of the last 15 minutes (step-up)."""
    set_up: bool = False
    """The visit is for setting up factors."""
    brand: str | None = None
    """The portal whose look the pages of an own sign-in wear."""

    @property
    def released(self) -> tuple[str, ...]:
        """Everything that the client asks to be told, as scopes."""
        return (*self.scope.names, *sorted(self.claim_scopes - set(self.scope.names)))

    @property
    def wish(self) -> Wish:
        """What it asks of the proofs."""
        return Wish(self.essential_acr, self.acr_values, self.fresh, self.set_up)

    @property
    def silent(self) -> bool:
        return "none" in self.prompt


@dataclass(frozen=True, slots=True)
class AgreementDue:
    """A text that the person has not accepted in this version."""

    kind: str
    version: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the rule looks at; read fresh each time the dispatcher is asked."""

    transaction: TransactionFacts | None
    """`None` on the first look, before anything is parked."""
    session: SessionFacts | None
    username_first: bool = False
    terms: Terms = Terms()
    equipment: Equipment = Equipment()
    password_must_change: bool = False
    agreements_due: tuple[AgreementDue, ...] = ()
    acts: bool = True
    """Whether this client is told for whom the person acts; own pages and plain OIDC requests are not."""
    offered: bool = False
    """A manager of this portal offers the person an access that waits for their yes (ruling 10)."""
    choices: tuple[Choice, ...] = ()
    """The valid choices inside what the request narrows to."""
    narrowed: bool = False
    remembered: Participation | None = None
    first_party: bool = True
    known_as: str | None = None
    """The session's person as this client knows them (`sub`), where it is not the public name."""
    consented: frozenset[str] = frozenset()
    """Scopes of a remembered consent for the choice that would be taken."""


@dataclass(frozen=True, slots=True)
class Show:
    """The person sees this step next; at *consent*, `choice` is whom it would be given for.

    `accepts` are the kinds of factor that *second factor* takes or *set up* offers.
    """

    step: Step
    choice: Choice | None = None
    accepts: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True)
class Proceed:
    """Everything is settled: issue the code, for this choice if the client is told one."""

    choice: Choice | None
    scopes: Scope


Verdict = Show | Refused | Proceed


def next_step(request: AuthorizationRequest, facts: Facts, *, now: datetime) -> Verdict:
    """What comes next; every `prompt`, `max_age` and `acr` of the protocol is decided here and nowhere else."""
    if facts.transaction is not None and facts.transaction.refused_at is not None:
        return Refused(Reason.ACCESS_DENIED)
    upstream = facts.transaction.upstream if facts.transaction is not None else None
    if upstream is Upstream.ARRIVED:
        return _or_silent(request, Show(Step.FIRST_TIME), Reason.LOGIN_REQUIRED)
    facts = _of_this_session(facts)
    if facts.session is None or _must_sign_in(request, facts, facts.session, now=now):
        return _sign_in(request, facts)
    if _somebody_else(request, facts, facts.session):
        return Refused(Reason.LOGIN_REQUIRED)
    unproven = _unproven(request, facts, facts.session, now=now)
    if unproven is not None:
        return unproven
    if upstream is Upstream.LINKING:
        return _or_silent(request, Show(Step.LINK), Reason.INTERACTION_REQUIRED)
    if facts.password_must_change:
        return _or_silent(request, Show(Step.CHANGE_PASSWORD), Reason.INTERACTION_REQUIRED)
    if facts.agreements_due:
        return _or_silent(request, Show(Step.AGREEMENT), Reason.INTERACTION_REQUIRED)
    if not facts.acts:
        return _consent(request, facts, choice=None)
    if facts.offered and not request.silent:
        return Show(Step.ACCESS_OFFERED)
    return _choose(request, facts)


def choice_taken(request: AuthorizationRequest, facts: Facts) -> Choice | None:
    """The choice that needs no question: made here, remembered for the session, or the only one (MODEL §5)."""
    transaction = facts.transaction
    if transaction is not None and transaction.chosen_at is not None and transaction.affiliation_id is not None:
        return _find(facts.choices, transaction.affiliation_id, transaction.provider_id)
    if "select_account" in request.prompt:
        return None
    if facts.remembered is not None and facts.remembered.affiliation_id is not None:
        found = _find(facts.choices, facts.remembered.affiliation_id, facts.remembered.provider_id)
        if found is not None:
            return found
    return facts.choices[0] if len(facts.choices) == 1 else None


def _must_sign_in(request: AuthorizationRequest, facts: Facts, session: SessionFacts, *, now: datetime) -> bool:
    transaction = facts.transaction
    if transaction is not None and transaction.authenticated_at is not None and transaction.session_id == session.id:
        return False
    if "login" in request.prompt or _somebody_else(request, facts, session):
        return True
    return request.max_age is not None and now - session.auth_time >= request.max_age


def _somebody_else(request: AuthorizationRequest, facts: Facts, session: SessionFacts) -> bool:
    return request.hinted_subject not in {None, facts.known_as or session.subject_id}


def _sign_in(request: AuthorizationRequest, facts: Facts) -> Verdict:
    """A right password waits for its factor before anything else happens (MF-01)."""
    if facts.transaction is not None and facts.transaction.pending is not None:
        return Show(Step.SECOND_FACTOR, accepts=after_password(request.wish, facts.terms, facts.equipment))
    return _or_silent(request, Show(_sign_in_step(facts)), Reason.LOGIN_REQUIRED)


def _unproven(
    request: AuthorizationRequest, facts: Facts, session: SessionFacts, *, now: datetime
) -> Show | Refused | None:
    """The factor that is asked or set up before this session may go on; `None`: it is proven well enough."""
    is_set_up = facts.transaction is not None and facts.transaction.set_up_at is not None
    found = lack(request.wish, facts.terms, facts.equipment, session, is_set_up=is_set_up, now=now)
    if found is None or (found.voluntary and request.silent):
        return None
    match found.what:
        case Missing.UNREACHABLE:
            return _refuse(request, Reason.UNMET_AUTHENTICATION_REQUIREMENTS)
        case Missing.SIGN_IN:
            return _or_silent(request, Show(_sign_in_step(facts)), Reason.LOGIN_REQUIRED)
        case Missing.PROVE:
            return _or_silent(request, Show(Step.SECOND_FACTOR, accepts=found.kinds), Reason.INTERACTION_REQUIRED)
        case Missing.SET_UP:
            return _or_silent(request, Show(Step.SET_UP_MFA, accepts=found.kinds), Reason.INTERACTION_REQUIRED)


def _sign_in_step(facts: Facts) -> Step:
    typed = facts.transaction is not None and facts.transaction.login is not None
    return Step.IDENTIFY if facts.username_first and not typed else Step.PASSWORD


def _choose(request: AuthorizationRequest, facts: Facts) -> Verdict:
    if not facts.choices:
        if facts.narrowed:
            return _refuse(request, Reason.ACCESS_DENIED)
        return _or_silent(request, Show(Step.CANNOT_ACT), Reason.INTERACTION_REQUIRED)
    choice = choice_taken(request, facts)
    if choice is None:
        return _or_silent(request, Show(Step.CHOOSE), Reason.ACCOUNT_SELECTION_REQUIRED)
    return _consent(request, facts, choice=choice)


def _consent(request: AuthorizationRequest, facts: Facts, *, choice: Choice | None) -> Verdict:
    asked = frozenset(request.released)
    given = (
        frozenset((facts.transaction.consented_scopes or "").split()) if facts.transaction is not None else frozenset()
    )
    here = facts.transaction is not None and facts.transaction.consented_scopes is not None
    if here:
        return Proceed(choice, request.scope.only(given | {OPENID}))
    must_ask = "consent" in request.prompt or not (facts.first_party or asked - {OPENID} <= facts.consented)
    if must_ask and request.client_id is not None:
        return Refused(Reason.CONSENT_REQUIRED) if request.silent else Show(Step.CONSENT, choice)
    return Proceed(choice, request.scope)


def _or_silent(request: AuthorizationRequest, shown: Show, reason: Reason) -> Show | Refused:
    """With `prompt=none` no page is ever shown (OIDC Core §3.1.2.1)."""
    return Refused(reason) if request.silent else shown


def _refuse(request: AuthorizationRequest, reason: Reason) -> Refused:
    """What no page can mend; `prompt=none` has a closed list of errors of its own (PROTOCOL 8)."""
    return Refused(Reason.INTERACTION_REQUIRED if request.silent else reason)


def _of_this_session(facts: Facts) -> Facts:
    if facts.transaction is None or facts.session is None:
        return facts
    return replace(facts, transaction=facts.transaction.settled_by(facts.session.id))


def _find(choices: Sequence[Choice], affiliation_id: UUID, provider_id: UUID | None) -> Choice | None:
    return next(
        (choice for choice in choices if choice.same_target(affiliation_id=affiliation_id, provider_id=provider_id)),
        None,
    )
