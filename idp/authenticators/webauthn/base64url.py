"""Bytes as text, without padding, as browsers write them in JSON (WebAuthn §3, RFC 4648 §5)."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

_TEXT: Final = re.compile(r"[A-Za-z0-9_-]*\Z", re.ASCII)


def encode(raw: bytes) -> str:
    """Bytes as text."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """Text as bytes; `ValueError` for anything but unpadded base64url."""
    if not _TEXT.match(text) or len(text) % 4 == 1:
        raise ValueError("base64url without padding")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
