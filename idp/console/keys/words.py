"""The sentences of the keys' page."""

from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.keyring.rules import Reason, State, Use

USES: Final[dict[Use, LazyString]] = {
    Use.SIGNING: _("Signing"),
    Use.FEDERATION: _("Federation"),
    Use.SAML: _("SAML"),
    Use.ENCRYPTION: _("Encryption"),
    Use.VAULT: _("Vault"),
    Use.INDEX: _("Index"),
    Use.PUSH: _("Push"),
}
NOTES: Final[dict[Use, LazyString]] = {
    Use.SIGNING: _("Signs tokens; relying parties check them with the published half."),
    Use.FEDERATION: _("Proves to providers of sign-in elsewhere that it is Credence that asks."),
    Use.SAML: _("Signs requests to SAML identity providers, which know its certificate from our metadata."),
    Use.ENCRYPTION: _("Opens ID tokens that providers of sign-in elsewhere encrypt for us."),
    Use.VAULT: _("Seals Tax IDs, telephones and the like in the database."),
    Use.INDEX: _("Finds what is sealed, and digests short codes. It never rotates."),
    Use.PUSH: _("Says to push services who rings a phone. Phones subscribe anew when they next open their app."),
}
STATES: Final[dict[State, LazyString]] = {
    State.NEXT: _("Next"),
    State.ACTIVE: _("Active"),
    State.RETIRED: _("Retired"),
}
REASONS: Final[dict[Reason, LazyString]] = {
    Reason.NEXT_TOO_YOUNG: _(
        "The next key is younger than a minute: relying parties may not know it yet. Wait a moment."
    ),
    Reason.NO_NEXT: _("There is no next key to take its place. The operator makes one: idp keys create."),
    Reason.STILL_NEEDED: _("That key has to stay."),
}
BROKEN: Final = _("The keys’ folder cannot be changed from here. The operator rotates: idp keys rotate.")
SAVED: Final[dict[str, LazyString]] = {"rotated": _("Rotated. The next key is active, and a new next one was made.")}
