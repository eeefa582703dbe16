"""The sentences of the pages of connections: what was wrong with a trial, whichever protocol it was."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.console.registrar.words import EVIDENCE
from idp.federation.upstream_saml.words import EXPLAINED
from idp.federation.words import CODES, REASONS, WRONG

__all__ = ["CODES", "EVIDENCE", "PROTOCOLS", "SAVED", "explained"]

PROTOCOLS: Final[dict[str, str]] = {"oidc": "OpenID Connect", "saml": "SAML 2.0"}
SAVED: Final[dict[str, LazyString]] = {
    "disabled": _("It is switched off. Nobody signs in by it; whoever is signed in stays so."),
    "enabled": _("It is switched on again."),
}
UNKNOWN: Final = _("It did not work, and what was wrong is in the audit.")


def explained(protocol: str, wrong: str) -> LazyString:
    """What was wrong, for whoever can mend it."""
    if protocol == "saml":
        found = next((said for each, said in EXPLAINED.items() if each.value == wrong), None)
    else:
        found = next((said for each, said in WRONG.items() if each.value == wrong), None)
    shared = next((said for each, said in REASONS.items() if each.value == wrong), UNKNOWN)
    return found or shared
