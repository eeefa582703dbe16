"""What a PIN is found by."""

from uuid import UUID

from idp.foundation import artefacts


def pin_digest(pin: str, *, provider: UUID, key: bytes) -> bytes:
    """Case counts, and the same PIN of another provider is another one."""
    return artefacts.short_digest(pin, pepper=key, context=str(provider))
