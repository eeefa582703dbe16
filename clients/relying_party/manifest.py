"""The manifest as a relying party reads it: its name, brand, menu and registration; none of the provider's code."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

MANIFESTS: Final = Path(__file__).parent.parent / "manifests"
_COLOURS: Final = ("accent_light", "accent_dark", "soft_light", "soft_dark", "fill_dark", "band_light", "band_dark")
_AT_PROVIDER: Final = {
    "reset_password": "/sign-in/forgot-password",
    "account": "/account/",
    "change_password": "/account/security",
    "people": "/manage/",
    "messages": "/account/messages",
}
_COLOUR: Final = re.compile(r"#?([0-9A-Fa-f]{6})\Z")


@dataclass(frozen=True, slots=True)
class Level:
    """An access level of this portal: `key` is what `entitlements` carries."""

    key: str
    label: Mapping[str, str]
    help: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ceremony:
    """A way to register, as the menu names it; it begins at the provider."""

    name: str
    label: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the menu that whoever is signed in sees: here, or at the provider."""

    label: Mapping[str, str]
    path: str
    at_provider: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """One relying party, as data."""

    client_id: str
    name: str
    base_url: str
    initials: str
    tagline: Mapping[str, str]
    colours: Mapping[str, str]
    phone: str
    hours: Mapping[str, str]
    levels: tuple[Level, ...]
    registration: Mapping[str, Any]
    idle_minutes: int
    ceremonies: tuple[Ceremony, ...] = ()
    menu: tuple[Entry, ...] = ()
    logo: str | None = None
    """An SVG of 36 pixels' height; without one its initials stand on a tile."""

    def enroll_url(self, issuer: str, ceremony: Ceremony) -> str:
        """Where the provider begins it."""
        return f"{issuer.rstrip('/')}/enroll/{self.client_id}/{ceremony.name}/"

    def menu_url(self, issuer: str, entry: Entry) -> str:
        """Where a line of the menu leads."""
        return issuer.rstrip("/") + entry.path if entry.at_provider else entry.path

    def url(self, path: str) -> str:
        """`path` on this relying party's own origin; an absolute URL stays as it is."""
        return urljoin(self.base_url + "/", path)

    @property
    def scope(self) -> str:
        return str(self.registration.get("scope", "openid"))

    @property
    def level_of_claims(self) -> Level | None:
        """The access level that guards the claims page: reading claims, else anything about them, else the first."""
        reading = [level for level in self.levels if level.key in ("claims.inquiry", "claims")]
        about_claims = [level for level in self.levels if level.key.startswith("claims")]
        return next(iter([*reading, *about_claims, *self.levels]), None)


def read(client_id: str, *, path: Path | None = None, base_url: str | None = None) -> Manifest:
    """The manifest of `client_id`; `base_url` overrides the one in it (PORT_BASE)."""
    file = path or MANIFESTS / f"{client_id}.toml"
    raw = tomllib.loads(file.read_text(encoding="utf-8"))
    brand, contact = raw["brand"], raw["help"]
    logo = file.with_suffix("") / "logo.svg"
    return Manifest(
        client_id=client_id,
        name=raw["name"],
        base_url=(base_url or raw["base_url"]).rstrip("/"),
        initials=brand["initials"],
        tagline=brand.get("tagline", {}),
        colours={name: _colour(brand[name]) for name in _COLOURS},
        phone=contact["phone"],
        hours=contact.get("hours", {}),
        levels=tuple(Level(row["key"], row["label"], row.get("help", {})) for row in raw.get("levels", ())),
        registration=raw["registration"],
        idle_minutes=raw.get("portal", {}).get("idle_minutes", 30),
        ceremonies=tuple(Ceremony(row["ceremony"], row["label"]) for row in raw.get("links", ()) if "ceremony" in row),
        menu=tuple(_entry(row) for row in raw.get("links", ()) if row.get("place") == "account"),
        logo=logo.read_text(encoding="utf-8") if logo.is_file() else None,
    )


def _entry(row: Mapping[str, Any]) -> Entry:
    if "ours" in row:
        return Entry(row["label"], _AT_PROVIDER[row["ours"]], at_provider=True)
    return Entry(row["label"], row["url"])


def _colour(value: str) -> str:
    """It goes into a style sheet, so nothing but six hexadecimal digits passes."""
    match = _COLOUR.match(value)
    if match is None:
        raise ValueError(f"not a colour: {value!r}")
    return f"#{match[1]}"
