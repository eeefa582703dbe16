"""The one sentence for each refusal; the same whoever answers upstream, and never that provider's own words (FE-15)."""

from collections.abc import Mapping
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.federation.rules import Reason
from idp.federation.upstream_oidc.rules import Wrong

REASONS: Final[Mapping[Reason, LazyString]] = {
    Reason.UNKNOWN_CONNECTION: _("There is no such way to sign in."),
    Reason.SWITCHED_OFF: _("This way to sign in is switched off at the moment."),
    Reason.NOT_OFFERED: _("This portal does not offer that way to sign in."),
    Reason.UNREACHABLE: _("It does not answer at the moment. Try again in a few minutes, or sign in another way."),
    Reason.BUSY: _(
        "It is slow at the moment, and others are waiting for it. Try again in a minute, or sign in another way."
    ),
    Reason.UNFIT_METADATA: _("It is not set up correctly. The help line knows whom to tell."),
    Reason.STATE: _("This answer does not belong to a sign-in in this browser, or it took too long."),
    Reason.OTHER_ISSUER: _("The answer came from somebody else than we asked."),
    Reason.DENIED: _("The sign-in there was cancelled or refused."),
    Reason.TOKEN: _("Its answer did not prove who you are."),
    Reason.USERINFO: _("Its answer did not prove who you are."),
    Reason.NOT_AGAIN: _(
        "We asked for a new sign-in there, and got an earlier one. Sign out there first, then try again."
    ),
    Reason.BAD_SUBJECT: _("Its answer names nobody whom we could know again."),
    Reason.REPLAYED: _("This answer was used before."),
    Reason.DISABLED: _("Your account here is disabled. Call the help line."),
    Reason.NOT_LINKED: _("This sign-in is not linked to your account."),
    Reason.LINKED_ELSEWHERE: _("This identity is linked to another account already."),
    Reason.ALREADY_LINKED: _("This identity is linked to your account already."),
    Reason.NOT_FRESH: _("Prove that it is you once more, then try again."),
    Reason.NOTHING_ARRIVED: _("This sign-in is over. Start again from your portal."),
    Reason.MAY_NOT_CREATE: _("An account cannot begin with this sign-in. Register at the portal, then link it."),
    Reason.LAST_WAY: _("This is your only way to sign in. Set a password or add a passkey first."),
}
MISSING_NAME: Final = _("Enter your name.")
NOT_A_MAIL: Final = _("Enter your work e-mail address.")
NOT_A_TIN: Final = _("A Tax ID has 9 digits.")
NO_DOOR_OF_PRACTICE: Final = _(
    "We know no sign-in of an organization for this practice. Sign in with your account here instead."
)
NO_DOOR: Final = _("We know no sign-in of an organization for this address. Sign in with your account here instead.")

CODES: Final[Mapping[str, LazyString]] = {
    "access_denied": _(
        "The person or the provider said no; some providers say it of a person who is not assigned to us."
    ),
    "account_selection_required": _("The person must choose an account there first."),
    "consent_required": _("The person, or an administrator there, must agree first that we are told who they are."),
    "interaction_required": _("The provider must show the person a page first."),
    "invalid_client": _("It does not know our client ID, or our secret or key is not the one registered there."),
    "invalid_grant": _("The code was too old, used before, or made for another redirect URI or client."),
    "invalid_request": _(
        "It misses something in the request, or the redirect URI is not registered there letter by letter."
    ),
    "invalid_scope": _("It does not give what oidc.scope asks."),
    "login_required": _("The person must sign in there first."),
    "server_error": _("Something is broken at the provider."),
    "temporarily_unavailable": _("The provider is overloaded or being maintained."),
    "unauthorized_client": _("Our registration there does not allow the code flow."),
    "unmet_authentication_requirements": _("It cannot do what oidc.acr_values asks."),
    "unsupported_grant_type": _("Its token endpoint does not take codes."),
    "unsupported_response_type": _("It does not offer the code flow to us."),
}
"""A provider's error codes, for staff who test a connection."""

WRONG: Final[Mapping[Wrong, LazyString]] = {
    Wrong.UNREACHABLE: _(
        "The provider’s server does not answer, or not with what was asked for. Check its address, the firewall and IDP_OUTGOING_ALLOW."
    ),
    Wrong.BUSY: _(
        "As many sign-ins as may wait for this provider are waiting already: it is slow, or does not answer."
    ),
    Wrong.NOT_JSON: _("What it answers is no discovery document."),
    Wrong.ISSUER: _("The issuer it names is not the issuer in the connection. They must be equal, letter by letter."),
    Wrong.ENDPOINT: _("One of its endpoints is missing, is not https, or lies in an internal network."),
    Wrong.NO_CODE: _("It does not offer the code flow."),
    Wrong.NO_PKCE: _("It does not offer PKCE with S256."),
    Wrong.METHOD: _("It does not offer the client authentication that the connection names."),
    Wrong.ASSERTION_ALG: _(
        "It does not take a proof of ours that is signed as oidc.assertion.alg says. Choose one that its discovery document names."
    ),
    Wrong.NO_KEYS: _(
        "It publishes no usable key, or we have none to prove ourselves with: idp keys create makes what is missing."
    ),
    Wrong.NO_SECRET: _("Our client secret is not set: idp connections secret NAME."),
    Wrong.TOKEN_REFUSED: _(
        "It refused to give tokens for the code. Most often our client ID, secret or redirect URI is not registered there as it is here."
    ),
    Wrong.NO_ID_TOKEN: _("Its token response holds no ID token."),
    Wrong.ENCRYPTION: _(
        "The ID token is not encrypted as this connection says, or to another key than ours. Compare oidc.encryption "
        "with the provider’s registration, whose key address is /federation/jwks here."
    ),
    Wrong.SIGNATURE: _(
        "The ID token is not signed by one of its published keys with an algorithm that the connection allows."
    ),
    Wrong.AUDIENCE: _("The ID token was made for another client."),
    Wrong.EXPIRED: _("The ID token is too old, or not yet valid. Compare the clocks."),
    Wrong.NONCE: _("The ID token does not answer this very request."),
    Wrong.HASH: _("The ID token does not belong to this access token or code."),
    Wrong.STALE: _("The ID token was made before we asked."),
    Wrong.OLD_SIGN_IN: _("It does not say when the person signed in, or that was too long ago."),
    Wrong.USERINFO: _("UserInfo does not answer, or speaks of somebody else."),
    Wrong.SUBJECT: _("The subject it names is empty or too long."),
    Wrong.DENIED: _("It refused the request, or the person cancelled."),
}
"""For staff who test a connection."""
