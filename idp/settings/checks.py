"""What is wrong between settings, and with the files they name."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from idp.settings.model import Settings

KEY_PURPOSES: Final = ("signing", "vault", "index")
"""Folders of `keys_dir` without whose active keys nothing can run."""


def unfit(settings: Settings, serving: bool) -> Iterator[tuple[str, str]]:
    """What is wrong between settings: name and line."""
    https = settings.issuer.startswith("https://")
    if settings.demo and not https and urlsplit(settings.issuer).hostname not in ("localhost", "127.0.0.1", "::1"):
        yield "issuer", "the demo speaks plain http on localhost only"
    if settings.sqlite != settings.database_owner_url.startswith("sqlite"):
        yield "database_owner_url", "must name the same database as IDP_DATABASE_URL"
    if settings.outgoing_ca_file is not None and not settings.outgoing_ca_file.is_file():
        yield "outgoing_ca_file", "there is no such file"
    if settings.attestation_ca_file is not None and not settings.attestation_ca_file.is_file():
        yield "attestation_ca_file", "there is no such file"
    if settings.session_idle > settings.session_absolute:
        yield "session_idle", "is longer than IDP_SESSION_ABSOLUTE"
    if settings.refresh_idle > settings.refresh_absolute:
        yield "refresh_idle", "is longer than IDP_REFRESH_ABSOLUTE"
    if settings.sms_url is not None and settings.sms_token is None and not settings.demo:
        yield "sms_token", "is missing, and IDP_SMS_URL is set"
    if not settings.demo:
        yield from _unfit_for_production(settings, https)
    if serving:
        yield from (("keys_dir", line) for line in key_problems(settings))


def _unfit_for_production(settings: Settings, https: bool) -> Iterator[tuple[str, str]]:
    if not https:
        yield "issuer", "production needs https"
    if settings.smtp_url is None:
        yield "smtp_url", "is missing; people get their links by mail"
    if settings.smtp_from.endswith(".invalid>"):
        yield "smtp_from", "is missing"
    if settings.metrics_public:
        yield "metrics_public", "production keeps /metrics private"
    if _is_weak(memory_kib=settings.password_memory_kib, passes=settings.password_time_cost):
        yield "password_memory_kib", "is weaker than 19456 KiB with 2 passes"


def _is_weak(*, memory_kib: int, passes: int) -> bool:
    """Below the least that OWASP's Password Storage Cheat Sheet gives for argon2id: passes make up for memory, to 7 MiB."""
    return memory_kib < 7 * 1024 or memory_kib * passes < 5 * 7 * 1024


def key_problems(settings: Settings) -> Iterator[str]:
    """What is wrong with the key folder: absent keys, demo keys, files that others may read."""
    for purpose in KEY_PURPOSES:
        if not any(settings.keys_dir.glob(f"{purpose}/active/*.jwk")):
            yield f"there is no active {purpose} key; `idp init` makes the first ones"
    for path in sorted(settings.keys_dir.glob("*/*/*.jwk")):
        shown = path.relative_to(settings.keys_dir)
        if not settings.demo and path.name.startswith("demo-"):
            yield f"{shown} is a demo key"
        if path.stat().st_mode & 0o077:
            yield f"{shown} can be read by others; chmod 600 it"
