"""The document behind `sector_identifier_uri` (OIDC Core §8.1, Registration §5)."""

import json
from collections.abc import Iterable


def wrong_sector(body: bytes, *, redirect_uris: Iterable[str]) -> str | None:
    """Why this document does not speak for these redirect URIs: it is a JSON array that holds every one (DR-07)."""
    try:
        listed = json.loads(body)
    except (ValueError, RecursionError):
        return "answers something that is not JSON"
    if not isinstance(listed, list) or not all(isinstance(uri, str) for uri in listed):
        return "answers something that is not an array of addresses"
    missing = [uri for uri in redirect_uris if uri not in listed]
    return f"does not list {missing[0]}" if missing else None
