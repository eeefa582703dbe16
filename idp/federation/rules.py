"""What an upstream answer is worth here: claims by allow-list, classes by the connection's table, never upward. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.affiliations.asserting.rules import Says
from idp.federation.connections.manifest import Asserts, Connection, Named
from idp.subjects.rules import NAME_MAX, email_key
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.evidence import Evidence
from idp.vocabulary.identifiers import Malformed, Tin
from idp.vocabulary.refused import Refused

VALUES_MAX: Final = 2_000
"""Values of one claim that are read."""
SUBJECT_MAX: Final = 255
"""OIDC Core §2: a `sub` has at most 255 characters; SAML's NameID is held to the same."""
_IMPLIES: Final = {
    Acr.AAL1: frozenset({Acr.AAL1}),
    Acr.AAL2: frozenset({Acr.AAL1, Acr.AAL2}),
    Acr.AAL3: frozenset({Acr.AAL1, Acr.AAL2, Acr.AAL3}),
    Acr.PHR: frozenset({Acr.AAL1, Acr.AAL2, Acr.PHR}),
    Acr.PHRH: frozenset({Acr.AAL1, Acr.AAL2, Acr.AAL3, Acr.PHR, Acr.PHRH}),
}


class Reason(StrEnum):
    """Why an upstream sign-in did not lead in; the audit keeps it, `words` says it to people."""

    UNKNOWN_CONNECTION = "unknown_connection"
    SWITCHED_OFF = "switched_off"
    NOT_OFFERED = "not_offered"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    """As many wait for it as may; nothing was used up."""
    UNFIT_METADATA = "unfit_metadata"
    STATE = "state"
    OTHER_ISSUER = "other_issuer"
    DENIED = "denied"
    """Upstream said no, or the person did there."""
    TOKEN = "token"
    """The answer does not prove what it must: signature, audience, nonce, hashes."""
    USERINFO = "userinfo"
    NOT_AGAIN = "not_again"
    """A sign-in anew was asked for, and the answer is an older one."""
    BAD_SUBJECT = "bad_subject"
    REPLAYED = "replayed"
    DISABLED = "disabled"
    NOT_LINKED = "not_linked"
    LINKED_ELSEWHERE = "linked_elsewhere"
    ALREADY_LINKED = "already_linked"
    NOT_FRESH = "not_fresh"
    NOTHING_ARRIVED = "nothing_arrived"
    MAY_NOT_CREATE = "may_not_create"
    LAST_WAY = "last_way"


@dataclass(frozen=True, slots=True)
class UpstreamIdentity:
    """What a verified upstream answer says, already mapped by the connection's allow-list."""

    connection: str
    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    given_name: str | None = None
    family_name: str | None = None
    acr: Acr | None = None
    """`None`: it said nothing that its connection believes."""
    amr: tuple[Amr, ...] = ()
    authenticated_at: datetime | None = None
    """When the person signed in there, as upstream says."""
    claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    session: str | None = None
    """Upstream's name for its session (`sid`, SessionIndex): what its logout will name."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a protocol module has verified, in upstream's own words: one value or several by claim or attribute."""

    subject: str
    claims: Mapping[str, object] = field(repr=False)
    acr: str | None = None
    amr: Sequence[str] = ()
    authenticated_at: datetime | None = None
    session: str | None = None


def identity_of(name: str, connection: Connection, said: Said) -> UpstreamIdentity | Refused:
    """Map a verified answer; what the connection does not name is dropped here (FE-11)."""
    if not 0 < len(said.subject) <= SUBJECT_MAX or not said.subject.isprintable():
        return Refused(Reason.BAD_SUBJECT)
    names, assurance = connection.claims, connection.assurance
    email = _text(said.claims.get(names.email))
    email = email if email is not None and isinstance(email_key(email), str) else None
    return UpstreamIdentity(
        connection=name,
        issuer=connection.issuer,
        subject=said.subject,
        email=email,
        email_verified=email is not None and said.claims.get(names.email_verified) is True,
        given_name=_name(said.claims.get(names.given_name)),
        family_name=_name(said.claims.get(names.family_name)),
        acr=assurance.acr.get(said.acr) if said.acr is not None else None,
        amr=tuple(dict.fromkeys(assurance.amr[each] for each in said.amr if each in assurance.amr)),
        authenticated_at=said.authenticated_at,
        claims={name: that_count(connection, name, said.claims.get(name)) for name in sorted(named_claims(connection))},
        session=said.session if said.session is not None and 0 < len(said.session) <= SUBJECT_MAX else None,
    )


def classes_of(identity: UpstreamIdentity) -> frozenset[Acr]:
    """The classes that a session made of it holds: `aal1`, and what the connection's table says."""
    return _IMPLIES[identity.acr or Acr.AAL1]


def spares_factor(connection: Connection, identity: UpstreamIdentity) -> bool:
    """Whether nobody is asked for a local factor after it: only where the connection says so, and more than `aal1` was proven."""
    return connection.assurance.local_factor == "spare" and classes_of(identity) != _IMPLIES[Acr.AAL1]


def proves_mailbox(connection: Connection, identity: UpstreamIdentity) -> bool:
    """Whether its mailbox needs no mail of ours: verified there, and in a domain that this connection answers for (FE-01)."""
    if not (connection.people.mailboxes and identity.email_verified and identity.email):
        return False
    return domain_of(identity.email) in connection.home.email_domains


def domain_of(email: str) -> str:
    """The part after the last `@`, as domains are compared."""
    return email.rpartition("@")[2].strip().lower().rstrip(".")


def doors(connections: Mapping[str, Connection], *, portal: str) -> tuple[tuple[str, Connection], ...]:
    """What a portal's sign-in page offers as buttons, in order of their names."""
    found = [(name, each) for name, each in connections.items() if portal in each.portals and each.button]
    return tuple(sorted(found, key=lambda pair: pair[1].name.en.casefold()))


def door_for(connections: Mapping[str, Connection], *, email: str, portal: str) -> str | None:
    """The connection whose domain an e-mail address has (home-realm discovery)."""
    domain = domain_of(email)
    return next(
        (name for name, each in connections.items() if portal in each.portals and domain in each.home.email_domains),
        None,
    )


def door_for_practice(connections: Mapping[str, Connection], *, tin: Tin, portal: str) -> str | None:
    """The connection that serves a practice: by the file and the number alone, never by who is known here (EN-06)."""
    return next(
        (name for name, each in connections.items() if portal in each.portals and tin in tins_of(each.home.tins)), None
    )


def may_unlink(*, other_links: int, has_password: bool, passkeys: int) -> bool:
    """Whether another way in remains: nobody is stranded."""
    return has_password or passkeys > 0 or other_links > 0


def _text(value: object) -> str | None:
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    return value if isinstance(value, str) and value and value.isprintable() else None


def _name(value: object) -> str | None:
    text = _text(value)
    text = " ".join(text.split()) if text is not None else None
    return text if text and len(text) <= NAME_MAX else None


def that_count(connection: Connection, name: str, value: object) -> tuple[str, ...]:
    """Of a claim that decides something, one text or a list of them: what some table names; the rest is dropped (FE-11)."""
    every = value if isinstance(value, (list, tuple)) else [value]
    texts = [each for each in every[:VALUES_MAX] if isinstance(each, str) and 0 < len(each) <= SUBJECT_MAX]
    values = {each for table in connection.brings if table.claim == name for each in table.values}
    for table in connection.asserts:
        values |= {*table.levels, *table.account_manager} if table.claim == name else set()
    tables: tuple[Named, ...] = (*connection.brings, *connection.asserts)
    tins = tins_of([tin for table in tables if table.tin_claim == name for tin in table.tins])
    counts = (each for each in texts if each.isprintable() and (each in values or tin_of(each) in tins))
    return tuple(dict.fromkeys(counts))


def known_claims(connection: Connection) -> Collection[str]:
    """The upstream names that are read at all."""
    names = connection.claims
    return frozenset({names.email, names.email_verified, names.given_name, names.family_name}) | named_claims(
        connection
    )


def named_claims(connection: Connection) -> frozenset[str]:
    """The upstream names by which a connection may bring or assert something."""
    tables: tuple[Named, ...] = (*connection.brings, *connection.asserts)
    return frozenset(name for each in tables for name in (each.claim, each.tin_claim) if name is not None)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a connection may say of somebody about one practice at one portal, and by which values it did."""

    portal: str
    tin: Tin
    claims: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Assertion(Statement):
    """Access: held while it is said."""

    says: Says
    days: int


@dataclass(frozen=True, slots=True)
class Brought(Statement):
    """Evidence for a ceremony."""

    kind: Evidence
    may_manage: bool


def asserted(connection: Connection, claims: Mapping[str, tuple[str, ...]]) -> tuple[Assertion, ...]:
    """The access that these claims assert, as far as the connection's file lets them (FE-11)."""
    found = []
    for table in connection.asserts:
        said = claims.get(table.claim, ())
        used = {table.claim: tuple(each for each in said if each in table.levels or each in table.account_manager)}
        says = says_of(table, said)
        if says is not None:
            found += [Assertion(table.portal, tin, used, says, table.days) for tin in _meant(table, claims)]
    return tuple(found)


def says_of(table: Asserts, values: Collection[str]) -> Says | None:
    """What the values of a table's claim give; `None` where the file names none of them."""
    levels = frozenset(level for each in values for level in table.levels.get(each, ()))
    marked = any(each in table.account_manager for each in values)
    return Says(levels, table.kind, marked) if levels or marked else None


def brought(connection: Connection, claims: Mapping[str, tuple[str, ...]], *, portal: str) -> Brought | None:
    """The evidence that somebody new brings to a portal's ceremony; of several practices the person says which."""
    found = [
        Brought(portal, tin, {table.claim: used}, table.kind, table.account_manager)
        for table in connection.brings
        if table.portal == portal and (used := tuple(v for v in claims.get(table.claim, ()) if v in table.values))
        for tin in _meant(table, claims)
    ]
    return found[0] if len({each.tin for each in found}) == 1 else None


def tins_of(tins: Collection[str]) -> frozenset[Tin]:
    """Tax IDs in one form; what is none is left out."""
    return frozenset(tin for text in tins if (tin := tin_of(text)) is not None)


def tin_of(text: str) -> Tin | None:
    """A Tax ID as it is compared, with or without its dashes."""
    try:
        return Tin.parse(text.strip())
    except Malformed:
        return None


def _meant(table: Named, claims: Mapping[str, tuple[str, ...]]) -> tuple[Tin, ...]:
    """The named practices that the claims are about, never another one."""
    named = tins_of(table.tins)
    return tuple(sorted(named if table.tin_claim is None else named & tins_of(claims.get(table.tin_claim, ()))))
