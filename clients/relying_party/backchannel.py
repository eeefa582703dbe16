"""Signing out when the provider says so (OpenID Connect Back-Channel Logout)."""

import logging
from datetime import UTC, datetime

from flask import Blueprint, jsonify, make_response, request
from flask.typing import ResponseReturnValue

from clients.relying_party.site import now, site
from clients.relying_party.tokens import LEEWAY, Untrusted, check_logout_token

log = logging.getLogger(__name__)
bp = Blueprint("backchannel", __name__)


@bp.post("/backchannel-logout")
def backchannel_logout() -> ResponseReturnValue:
    """The provider ended a session: whoever signed in here by it is signed out (Back-Channel Logout §2.5)."""
    tokens, provider = request.form.getlist("logout_token"), site().provider
    try:
        if len(tokens) != 1:
            raise Untrusted("not one logout token")
        keys = provider.keys_for(tokens[0], now=now())
        claims = check_logout_token(
            tokens[0], keys=keys, issuer=provider.issuer, client_id=provider.client_id, now=now()
        )
        until = datetime.fromtimestamp(claims["exp"], UTC) + LEEWAY
        if not site().visits.first_sight(claims["jti"], until=until, now=now()):
            raise Untrusted("seen before")
    except Untrusted as error:
        log.warning("refused a logout token: %s", error)
        return jsonify(error="invalid_request"), 400
    ended = site().visits.end_by_logout(sid=claims.get("sid"), sub=claims.get("sub"))
    log.info("back-channel logout ended %d visits", ended)
    return make_response("", 200)
