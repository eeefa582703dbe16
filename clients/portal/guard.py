"""Who may open a page: somebody signed in, whose access still stands; for some pages somebody just signed in."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import wraps
from typing import Concatenate, Final, ParamSpec
from urllib.parse import quote, urlsplit

from flask import redirect, request
from flask.typing import ResponseReturnValue

from clients.relying_party.sign_in import keep_fresh
from clients.relying_party.site import now, signed_in, site
from clients.relying_party.visits import SignedIn

Parameters = ParamSpec("Parameters")
FRESH_FOR: Final = timedelta(minutes=5)


def for_signed_in(
    page: Callable[Concatenate[SignedIn, Parameters], ResponseReturnValue],
) -> Callable[Parameters, ResponseReturnValue]:
    """The page gets the signed-in person; anybody else goes to sign in, and comes back."""

    @wraps(page)
    def guarded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> ResponseReturnValue:
        who = signed_in()
        if who is None:
            target = site().manifest.base_url + request.path
            return redirect(f"/sign-in?target_link_uri={quote(target, safe='')}")
        keep_fresh(who, provider=site().provider, now=now())
        return page(who, *args, **kwargs)

    return guarded


def is_fresh(who: SignedIn, *, now: datetime) -> bool:
    """Whether they proved who they are in the last minutes, by the provider's word (`auth_time`)."""
    auth_time = who.id_claims.get("auth_time")
    return who.asked_afresh and isinstance(auth_time, int) and auth_time > (now - FRESH_FOR).timestamp()


def own_target(uri: str, *, base_url: str) -> str | None:
    """`uri` where it lies on this very origin, else `None`: a sign-in must not end at another site (Core §4)."""
    if any(ord(char) <= 0x20 or char in "\\\x7f" for char in uri) or len(uri) > 2000:
        return None
    parts, own = urlsplit(uri), urlsplit(base_url)
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        return None
    return f"{base_url}{parts.path or '/'}" + (f"?{parts.query}" if parts.query else "")
