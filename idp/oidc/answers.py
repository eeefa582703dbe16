"""How the endpoints of machines write their answers (RFC 6749 §5.1, RFC 6750 §3), for views and short cuts alike."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from idp.oidc.errors import OAuthError

Header = tuple[str, str]
NOT_STORED: Final[tuple[Header, ...]] = (("Cache-Control", "no-store"), ("Pragma", "no-cache"))
CACHEABLE: Final[Header] = ("Cache-Control", "public, max-age=60")
"""For discovery and keys: the same for everybody."""


def written(answer: Mapping[str, Any] | OAuthError) -> tuple[int, tuple[Header, ...], bytes]:
    """Status, headers and JSON body; what is answered to a credential is never stored."""
    if isinstance(answer, OAuthError):
        return answer.status, (*NOT_STORED, *answer.headers), orjson.dumps(answer.as_json())
    return 200, NOT_STORED, orjson.dumps(answer)
