"""A manifest: one relying party as data, the file `clients/manifests/<client_id>.toml`.

`extra=forbid` everywhere, so a misspelt key is refused by name. Paths in URLs (`/callback`) are relative to
`base_url`. What must hold between values is checked by `idp.relying_parties.rules`, with file, line and reason.
"""

from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from idp.vocabulary.affiliation import TargetKind
from idp.vocabulary.assurance import Acr, Factor
from idp.vocabulary.evidence import Evidence


class Part(BaseModel):
    """Frozen, and closed against unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Localized(Part):
    """A text in English and Spanish."""

    en: str
    es: str


class ApprovedFor(Part):
    """For whom a partner app may act by itself (client credentials)."""

    registry: str
    provider_ids: tuple[str, ...] = ()
    tins: tuple[str, ...] = ()
    """Nine digits; in a token they appear as `tin`, or as `tin_ref` when of type SSN."""


class AccessTokens(Part):
    """How access tokens for this client look."""

    format: Literal["jwt", "opaque"] = "jwt"
    alg: Literal["ES256", "ES384", "RS256", "RS384", "PS256", "EdDSA"] = "ES256"
    minutes: int | None = Field(default=None, ge=1, le=60)
    """How long they live; none: `access_token_lifetime` of the settings."""
    audience: str | None = None
    """Default `aud` where the request names no `resource` (RFC 8707)."""


class Registration(Part):
    """The OpenID Connect registration (names of RFC 7591 and OIDC Registration §2 where they exist)."""

    application_type: Literal["web", "native"] = "web"
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    initiate_login_uri: str | None = None
    backchannel_logout_uri: str | None = None
    client_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    token_endpoint_auth_method: Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"] = (
        "client_secret_basic"
    )
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    grant_types: tuple[Literal["authorization_code", "refresh_token", "client_credentials"], ...] = (
        "authorization_code",
        "refresh_token",
    )
    scope: str = "openid"
    """Every plain scope that it may ask for."""
    resources: tuple[str, ...] = ()
    """`resource` values that it may ask tokens for (RFC 8707)."""
    subject_type: Literal["public", "pairwise"] = "public"
    sector_identifier_uri: str | None = None
    id_token_signed_response_alg: Literal["RS256", "ES256", "ES384", "PS256", "EdDSA"] = "RS256"
    id_token_claims: tuple[
        Literal["provider_id", "npi", "tin", "provider_type", "provider_name", "trading_partner_id"], ...
    ] = ()
    """Acting claims that its ID token carries too (MODEL §1); a TIN of type SSN never does."""
    ssn_tins: bool = False
    """Whether it may see a TIN of type SSN in access tokens and at UserInfo; others get `tin_ref`."""
    access_token: AccessTokens = AccessTokens()
    refresh_grace_seconds: int = Field(default=0, ge=0, le=10)
    first_party: bool = False
    """No consent page; refresh tokens bound to the session without `offline_access`."""
    roles_of: str | None = None
    """Whose role catalogue `entitlements` speaks of; a portal's own when absent."""
    approved_for: ApprovedFor | None = None
    may_introspect: bool = False
    default_max_age: int | None = Field(default=None, ge=0)


class Brand(Part):
    """LOOK.md: seven colours, a line under the name; the server answers `/brand/<client_id>.css`."""

    accent_light: str
    accent_dark: str
    soft_light: str
    soft_dark: str
    fill_dark: str
    band_light: str
    band_dark: str
    initials: str = Field(min_length=1, max_length=2)
    tagline: Localized | None = None


class Help(Part):
    """The help line on every page and mail (A11)."""

    phone: str
    hours: Localized | None = None
    email: str | None = None
    security_phone: str | None = None


class Link(Part):
    """A help link, a menu entry of the sign-in page, or a footer link (X7)."""

    label: Localized
    url: str | None = None
    page: str | None = None
    """File name, less `.en.md`/`.es.md`, of a text beside the manifest; shown at `/help/<client_id>/<page>`."""
    ceremony: str | None = None
    """One of this portal's own ceremonies, at `/enroll/<client_id>/<ceremony>/`."""
    message: bool = False
    """*Send Message*: the page `/help/<client_id>/message`, which mails `help.email` (X7)."""
    ours: Literal["reset_password", "account", "change_password", "people", "messages"] | None = None
    """A page of the provider itself: a forgotten password, or for whoever is signed in their account, their password,
    the people whom they manage, the messages sent to them (D5)."""
    place: Literal["sign_in", "footer", "account"] = "footer"
    """`account`: in the portal's own menu, once somebody is signed in there."""


class Banner(Part):
    """Shown above the sign-in card (D1); with `must_accept` it is its own step."""

    text: Localized
    must_accept: bool = False
    version: str = "1"


class Agreement(Part):
    """A versioned text beside the manifest: `agreement-<version>.en.md` and `.es.md` (C10)."""

    version: str
    title: Localized


class Level(Part):
    """One access level (role) of a portal's catalogue; `key` is what `entitlements` carries."""

    key: str
    label: Localized
    help: Localized | None = None
    manages: bool = False
    """Shows the account-manager mark (MODEL §2)."""


class PasswordPolicy(Part):
    """A portal's password rules (A4, C2, D4); absent: NIST's default."""

    min_length: int = Field(default=15, ge=8, le=64)
    max_length: int = Field(default=128, ge=16, le=128)
    lower: bool = False
    upper: bool = False
    digit: bool = False
    special: bool = False
    digit_or_special: bool = False
    only_ascii: bool = False
    """Letters, numbers and special characters only (A4)."""
    not_user_id: bool = True
    no_part_of_user_name: bool = False


class Mfa(Part):
    """What a portal asks after the password (C4, C5; MODEL §3)."""

    policy: Literal["required", "managers", "optional"] = "optional"
    """`optional`: whoever has set up a factor is asked for it, nobody has to."""
    kinds: tuple[Factor, ...] = (Factor.PASSKEY, Factor.PUSH, Factor.TOTP)
    """What may be set up and used here; never e-mail or SMS for account managers (SECURITY ruling 2)."""
    remember_days: int = Field(default=30, ge=0, le=90)
    """How long ago a device may have been remembered to spare the question here; 0: it never does."""


class SignIn(Part):
    """What the sign-in page asks and says."""

    identifier: Literal["user_id", "email", "either"] = "either"
    label: Localized | None = None
    username_first: bool = False
    """User ID on its own page, before the password (A6)."""
    site_key: bool = False
    """Picture and phrase between user ID and password (A6, SECURITY ruling 1)."""
    button: Localized | None = None
    terms: Agreement | None = None
    """Accepted by pressing the button: *Accept & Login* (B1); the text is `terms-<version>.en.md`."""


class Portal(Part):
    """What makes a client a portal (MODEL §1, §3)."""

    registry: str
    acting_for: tuple[TargetKind, ...]
    accepts: Evidence
    accepts_for_manager: Evidence
    default_levels: tuple[str, ...] = ()
    accepts_evidence_from: tuple[str, ...] = ()
    min_acr: Acr = Acr.AAL1
    idle_minutes: int = Field(default=30, ge=5, le=240)
    review_days: int | None = Field(default=None, ge=0, le=1100)
    """How often its targets' access is reviewed; `0`: never; none: as the deployment says (`IDP_REVIEW_EVERY`)."""
    switch_uri: str | None = None
    """Where it asks somebody who is signed in there for whom they act next (`prompt=select_account`); *My access* leads there."""
    clerks: bool = False
    """Its managers maintain *clerks*: they may add one with a typed, temporary password (ruling 3)."""


class Ceremony(Part):
    """How somebody gets an account or access at a portal: steps in order, as data (DESIGN §4.2).

    The steps and what each may be told are `idp.enrollment`'s; it checks them when a manifest is planned.
    """

    title: Localized
    intro: Localized | None = None
    steps: tuple[str, ...] = Field(min_length=1)
    """A page each; `create_account + site_key` puts two steps on one page."""
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By step."""


class Manifest(Part):
    """One relying party. Partner apps have no `portal`."""

    name: str
    short_name: str
    base_url: str
    registration: Registration
    portal: Portal | None = None
    brand: Brand
    help: Help
    links: tuple[Link, ...] = ()
    banner: Banner | None = None
    agreement: Agreement | None = None
    levels: tuple[Level, ...] = ()
    password: PasswordPolicy | None = None
    mfa: Mfa = Mfa()
    sign_in: SignIn = SignIn()
    enrollment: dict[str, Ceremony] = Field(default_factory=dict)
    """Its ceremonies by name."""

    @property
    def access_token_lifetime(self) -> timedelta | None:
        minutes = self.registration.access_token.minutes
        return None if minutes is None else timedelta(minutes=minutes)
