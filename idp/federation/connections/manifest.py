"""A connection: one upstream provider as data, the file `clients/connections/<name>.toml`.

Closed against unknown keys, as a portal's manifest is; what must hold between values is checked by `rules`. What it does
not say is not believed: no class above `aal1`, no claim beyond the names listed here, no mailbox, no right.
"""

from typing import Literal

from pydantic import Field

from idp.foundation.jwe import Content, Wrap
from idp.relying_parties.manifest import Localized, Part
from idp.vocabulary.assurance import Acr, Amr
from idp.vocabulary.evidence import Evidence


class Home(Part):
    """Whom it serves: *your organization's sign-in* asks for an e-mail address first, then opens the right door."""

    email_domains: tuple[str, ...] = ()
    """Of these and no others may it vouch for a mailbox (`people.mailboxes`)."""
    tins: tuple[str, ...] = ()
    """Practices that it serves: their people are shown this door, by the number they type or by the access they have."""


class People(Part):
    """What becomes of somebody whom nobody knows here yet."""

    create: bool = False
    """Whether an account may begin with what it says."""
    mailboxes: bool = False
    """Whether its `email_verified` proves a mailbox in `home.email_domains`; with any other, people register at the portal first."""
    ceremonies: dict[str, str] = Field(default_factory=dict)
    """Portal → the ceremony that its new people enter."""


class Assurance(Part):
    """What its word is worth (MODEL §8); what is not named is `aal1` and adds no method."""

    local_factor: Literal["ask", "spare"] = "ask"
    """Whether somebody who holds a factor here is asked for it; `spare` counts only with a class above `aal1`."""
    acr: dict[str, Acr] = Field(default_factory=dict)
    """Their class → ours."""
    amr: dict[str, Amr] = Field(default_factory=dict)
    """Their method → ours."""


class Claims(Part):
    """Which of its claims are read, by our name for them; nothing else is kept (FE-11)."""

    email: str = "email"
    email_verified: str = "email_verified"
    given_name: str = "given_name"
    family_name: str = "family_name"


class Encryption(Part):
    """How its ID tokens are encrypted to our key; then one that is not, or is otherwise, is no answer."""

    alg: Wrap
    enc: Content


class Named(Part):
    """What counts of a claim, at one portal, for the practices that are named here and for no others (FE-11)."""

    portal: str
    tins: tuple[str, ...]
    """Tax IDs, dashes or not: whatever the provider says, nothing is believed about another practice."""
    claim: str = Field(min_length=1, max_length=100)
    """The claim or attribute whose values decide."""
    tin_claim: str | None = Field(default=None, min_length=1, max_length=100)
    """Where the person's own practices stand; without it every practice of `tins` is meant."""


class Brings(Named):
    """Evidence for somebody new: the ceremony's step that proves a practice is taken as done, and locked."""

    kind: Literal[Evidence.DIRECTORY, Evidence.PAYER]
    """Never a letter, which is ours to mail, nor a manager's word."""
    values: tuple[str, ...]
    """Of which one must be among the claim's."""
    account_manager: bool = False
    """Whether it may make somebody an account manager where the portal accepts its kind for that."""


class Asserts(Named):
    """Access that it gives and takes back: held for as long as it says so at each sign-in, and `days` after the last."""

    levels: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Value of the claim → levels of the portal's catalogue."""
    account_manager: tuple[str, ...] = ()
    """Values that carry the account manager's mark; none does by default."""
    kind: Literal[Evidence.SELF, Evidence.DIRECTORY, Evidence.PAYER] = Evidence.SELF
    """What the access rests on; as it stands no portal accepts it."""
    days: int = Field(default=30, ge=1, le=365)


class Assertion(Part):
    """How `private_key_jwt` proves us (RFC 7523): some providers take RSA alone, some want their token endpoint named."""

    alg: Literal["ES256", "RS256"] = "ES256"
    audience: Literal["issuer", "token_endpoint"] = "issuer"


class Oidc(Part):
    """An OpenID provider and our registration there."""

    client_id: str = Field(min_length=1, max_length=200)
    client_authentication: Literal["private_key_jwt", "client_secret_basic", "client_secret_post"] = "private_key_jwt"
    """`private_key_jwt` signs with our own key, published at `/federation/jwks`; a secret is set by `idp connections secret`."""
    assertion: Assertion = Assertion()
    """For `private_key_jwt` alone."""
    scope: str = "openid email profile"
    id_token_algs: tuple[Literal["RS256", "RS384", "PS256", "ES256", "ES384", "EdDSA"], ...] = (
        "RS256",
        "ES256",
        "PS256",
    )
    encryption: Encryption | None = None
    """What its ID tokens come in; without it an encrypted one is refused. Our keys stand at `/federation/jwks`."""
    userinfo: bool = False
    """Whether the claims are asked at its UserInfo endpoint too."""
    acr_values: tuple[str, ...] = ()
    """Asked of it at every sign-in."""
    sends_out: bool = True
    """Whether signing out here signs out there (RP-Initiated Logout), where it offers that."""


class Saml(Part):
    """A SAML identity provider; its metadata lies beside as `<name>/metadata.xml`, its certificates are pinned by that."""

    sign_requests: bool = False
    """Sign them even where its metadata does not ask for that."""
    name_id_format: str | None = None
    """Asked for, and insisted on. A name that changes each time (`transient`) is never taken."""
    authn_contexts: tuple[str, ...] = ()
    """Classes of which one is asked for at every sign-in, as it calls them."""
    allow_unsolicited: bool = False
    """Whether an answer that nobody asked for (IdP-initiated) begins a sign-in; it never is one (FE-37)."""
    metadata_certificate: str | None = None
    """In PEM: whose signature its metadata must bear (FE-44)."""
    sends_out: bool = True
    """Whether signing out here signs out there (single logout), where its metadata offers that."""
    email_verified: bool = False
    """Whether the attribute named by `claims.email` counts as verified, since SAML has no such statement."""


class Connection(Part):
    """The whole file."""

    name: Localized
    """As the button says it: *Continue with …*"""
    protocol: Literal["oidc", "saml"]
    issuer: str
    """OpenID Connect: the issuer whose discovery document must say the same (FE-07); SAML: the entity ID."""
    portals: tuple[str, ...]
    """`client_id` of each portal that offers it."""
    button: bool = True
    """`False`: found by an e-mail address of its domains, and not shown to everybody."""
    home: Home = Home()
    people: People = People()
    assurance: Assurance = Assurance()
    claims: Claims = Claims()
    brings: tuple[Brings, ...] = ()
    asserts: tuple[Asserts, ...] = ()
    oidc: Oidc | None = None
    saml: Saml | None = None
