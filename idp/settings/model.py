"""The settings themselves; `docs/settings.md` is made from this file."""

from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from idp.settings.values import (
    CodeLife,
    Duration,
    DurationOrNone,
    HostAndPort,
    LinkLife,
    Mode,
    OptionalSecret,
    OptionalSecretUrl,
    Reachable,
    RefreshLife,
    SecretUrl,
    Sender,
    TokenLife,
)

PROJECT: Final = Path(__file__).resolve().parents[2]


class Settings(BaseModel):
    """What an operator may turn; made by `load`, in tests by calling it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    mode: Mode = Mode.PRODUCTION
    """`production`, or `demo`: plain http on loopback, an outbox page, keys and people that anybody may know."""
    issuer: str
    """The `iss` of every token and the public address of this provider, without a slash at its end."""
    support_name: str = "Credence"
    """What the provider calls itself on its own pages and in mails that belong to no portal."""
    default_zone: str = "America/Chicago"
    """Time zone of dates on pages and in mails for people who chose none."""

    data_dir: Path
    """Folder for the SQLite file, demo secrets and the like; `DATA_DIR` is read too. Default: `var` in the project."""
    keys_dir: Path
    """Folder of the keys. Default: `keys` in the project; in the demo `keys` in `data_dir`."""
    database_url: SecretUrl
    """SQLAlchemy address of the database, as the application's role. Default: a SQLite file in `data_dir`."""
    database_owner_url: SecretUrl
    """The same database as the role that owns the tables: migrations only. Default: `database_url`."""
    redis_url: OptionalSecretUrl = None
    """Redis for request counts, caches and invalidation (`redis://…`, `rediss://…`, `unix://…`); none: SQL does it."""

    smtp_url: OptionalSecretUrl = None
    """Mail server: `smtp://` (STARTTLS where offered), `smtp+starttls://` (demanded) or `smtps://`, `user:password@host:port`."""
    smtp_from: Sender = "Credence <no-reply@localhost.invalid>"
    """Sender of all mail."""
    sms_url: OptionalSecretUrl = None
    """SMS gateway that takes one POST for each message; none: no SMS is sent."""
    sms_token: OptionalSecret = None
    """Bearer token for the SMS gateway."""
    outgoing_allow: Reachable = ()
    """Hosts (`name`, `name:port`, an address or a network, several by comma) that outgoing calls may reach though their address is not public."""
    outgoing_ca_file: Path | None = None
    """PEM file of further certificate authorities for outgoing calls."""
    attestation_ca_file: Path | None = None
    """PEM file of the makers of security keys whose attestations count as `aal3`; none: every key counts as `aal2`."""

    bind: HostAndPort = "127.0.0.1:8000"
    """`host:port` that `idp serve` listens on."""
    workers: int = Field(default=2, ge=1, le=256)
    """Processes of `idp serve`."""
    trusted_proxies: int = Field(default=0, ge=0, le=8)
    """Exactly how many proxies in front add to `X-Forwarded-*`; 0 believes none of them."""
    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    """Least level of the log."""
    metrics_token: OptionalSecret = None
    """Bearer token for `/metrics`; without one only loopback may read it, and behind proxies nobody whom they do not name."""
    metrics_public: bool = False
    """Let anybody read `/metrics`; production refuses it."""
    clock_may_go_back: bool = False
    """Start by the system's clock even where the database holds later moments: for once, after a clock stood too late."""

    session_idle: Duration = timedelta(minutes=30)
    """A session ends after this long without a request."""
    session_idle_staff: Duration = timedelta(minutes=15)
    """After this long without a look, `/manage` and `/console` ask for the strong factor again."""
    session_absolute: Duration = timedelta(hours=12)
    """A session ends this long after signing in, whatever happens."""
    transaction_lifetime: Duration = timedelta(minutes=60)
    """How long a started sign-in may take."""
    code_lifetime: CodeLife = timedelta(seconds=60)
    """Life of an authorization code; 60 seconds at most."""
    access_token_lifetime: TokenLife = timedelta(minutes=5)
    """Life of an access token of clients that register no other; 1 to 60 minutes."""
    id_token_lifetime: TokenLife = timedelta(minutes=5)
    """Life of an ID token; 1 to 60 minutes."""
    refresh_idle: Duration = timedelta(days=14)
    """An offline refresh token dies when it was not used for this long."""
    refresh_absolute: RefreshLife = timedelta(days=90)
    """An offline refresh token dies this long after the sign-in, however often it rotated; 90 days at most."""
    reset_lifetime: Duration = timedelta(minutes=30)
    """Life of a password reset link, from its sending."""
    email_link_lifetime: LinkLife = timedelta(hours=24)
    """Life of the link that confirms an address at registration, from its sending; a day at most, as its ceremony."""
    remember_device: DurationOrNone = timedelta(days=30)
    """How long *do not challenge me on this device* holds; `0`: it is not offered. A portal may ask for less."""
    tries_a_minute: int = Field(default=6000, ge=10, le=1_000_000)
    """Wrong passwords, and wrong codes of a second factor, that everybody together may try within a minute."""
    factor_recovery_wait: Duration = timedelta(hours=72)
    """How long somebody who lost every factor waits, and may be warned, before the recovery can be finished."""
    dormancy: Duration = timedelta(days=90)
    """An affiliation without sign-in for this long is dormant."""
    access_request_window: Duration = timedelta(days=5)
    """How long account managers have before a request is denied for them."""
    review_every: DurationOrNone = timedelta(days=365)
    """How often account managers say who still needs which access; `0`: never. A portal may ask for another period."""
    review_window: Duration = timedelta(days=30)
    """How long such a review lasts; what nobody has kept by then ends."""
    purge_batch: int = Field(default=1000, ge=1, le=100_000)
    """Rows that one step of the purge deletes at most."""
    purge_after: Duration = timedelta(days=1)
    """How long expired rows stay, so that a late replay is still told from a never issued secret."""

    password_memory_kib: int = Field(default=19_456, ge=8, le=1_048_576)
    """argon2id: memory in KiB."""
    password_time_cost: int = Field(default=2, ge=1, le=16)
    """argon2id: passes."""
    password_parallelism: int = Field(default=1, ge=1, le=8)
    """argon2id: lanes."""
    kdf_concurrency: int = Field(default=2, ge=1, le=64)
    """Password hashes that one process computes at the same time; bounds its memory."""
    kdf_queue: int = Field(default=64, ge=0, le=4096)
    """Requests that may wait for a hash in one process; one more is answered 503 at once."""

    @model_validator(mode="before")
    @classmethod
    def _derive(cls, given: Any) -> Any:
        values = {name: value for name, value in dict(given).items() if value not in ("", None)}
        demo = str(values.get("mode", "")) == Mode.DEMO
        values.setdefault("data_dir", PROJECT / "var")
        data_dir = Path(str(values["data_dir"])).absolute()
        values["data_dir"] = data_dir
        values.setdefault("keys_dir", data_dir / "keys" if demo else PROJECT / "keys")
        values.setdefault("database_url", f"sqlite:///{data_dir / 'credence.sqlite3'}")
        values.setdefault("database_owner_url", values["database_url"])
        if demo:
            values.setdefault("issuer", "http://localhost:8000")
        return values

    @field_validator("issuer")
    @classmethod
    def _is_issuer(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ValueError("an https address with a host")
        if parts.path or parts.query or parts.fragment or parts.username or value != value.strip().rstrip("/"):
            raise ValueError("scheme, host and port only, without a slash at the end")
        return value

    @field_validator("database_url", "database_owner_url")
    @classmethod
    def _is_database(cls, value: str) -> str:
        if value.startswith(("postgres://", "postgresql://")):
            return "postgresql+psycopg://" + value.partition("://")[2]
        if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
            raise ValueError("a sqlite:/// or postgresql:// address")
        return value

    @field_validator("redis_url", "smtp_url", "sms_url")
    @classmethod
    def _has_scheme(cls, value: str | None, info: Any) -> str | None:
        allowed = _SCHEMES[info.field_name]
        parts = urlsplit(value or "")
        if value is not None and (parts.scheme not in allowed or not (parts.hostname or parts.scheme == "unix")):
            raise ValueError(
                f"an address of one host that begins with one of {', '.join(f'{scheme}://' for scheme in allowed)}"
            )
        return value

    @field_validator("default_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, KeyError):
            raise ValueError("a time zone of the IANA list, such as America/Chicago") from None
        return value

    @property
    def demo(self) -> bool:
        """Whether this is the demo."""
        return self.mode is Mode.DEMO

    @property
    def trusted_hosts(self) -> tuple[str, ...]:
        """The one `Host` that requests may carry: the issuer's, with its port unless it is the scheme's."""
        return (urlsplit(self.issuer).netloc.lower(),)

    @property
    def sqlite(self) -> bool:
        """Whether the database is the embedded one."""
        return self.database_url.startswith("sqlite")


_SCHEMES: Final = {
    "redis_url": ("redis", "rediss", "unix"),
    "smtp_url": ("smtp", "smtp+starttls", "smtps"),
    "sms_url": ("https", "http"),
}
DERIVED: Final = {"database_owner_url": "database_url"}
"""Settings that take another's value where nobody sets them."""
HOLDS_SECRET: Final = frozenset(
    {
        "database_url",
        "database_owner_url",
        "redis_url",
        "smtp_url",
        "sms_url",
        "sms_token",
        "metrics_token",
    }
)
"""Settings shown masked, and readable from `IDP_<NAME>_FILE`."""
