"""The places of the console, by what one must be allowed to go there."""

from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.vocabulary.staff import StaffMay


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation."""

    key: str
    endpoint: str
    may: StaffMay
    name: LazyString
    note: LazyString


PLACES: Final = (
    Place("home", "console.index", StaffMay.ENTER, _("Overview"), _("What waits, and how the system is.")),
    Place(
        "registrar",
        "console_registrar.index",
        StaffMay.DECIDE,
        _("Registrants"),
        _("Claims of practices that nobody manages, and requests that nobody else can decide."),
    ),
    Place(
        "recoveries",
        "console_recoveries.index",
        StaffMay.DECIDE,
        _("Recoveries"),
        _("People who lost every way to sign in, and whom the payer has to know."),
    ),
    Place(
        "help",
        "console_help.index",
        StaffMay.SEE_PEOPLE,
        _("Help desk"),
        _("Somebody calls: see where their account stands, check the caller, start recovery."),
    ),
    Place(
        "reviews",
        "console_reviews.index",
        StaffMay.READ_DIRECTORY,
        _("Access reviews"),
        _("Yearly reviews of practices that nobody has confirmed, or that end soon."),
    ),
    Place(
        "directory",
        "console_directory.index",
        StaffMay.READ_DIRECTORY,
        _("Directory"),
        _("Providers, practices and trading partners as the payer’s files have them; imports."),
    ),
    Place(
        "parties",
        "console_parties.index",
        StaffMay.READ_SYSTEM,
        _("Relying parties"),
        _("Portals and apps: how they are registered, on or off, their secrets."),
    ),
    Place(
        "connections",
        "console_connections.index",
        StaffMay.READ_SYSTEM,
        _("Connections"),
        _("Organizations whose own sign-in counts here: on or off, and a test that says what is wrong."),
    ),
    Place("keys", "console_keys.index", StaffMay.READ_SYSTEM, _("Keys"), _("What signs and seals, and its rotation.")),
    Place(
        "outbox",
        "console_outbox.index",
        StaffMay.READ_SYSTEM,
        _("Outbox"),
        _("Messages that wait, and those that were given up."),
    ),
    Place(
        "audit",
        "console_audit.index",
        StaffMay.READ_AUDIT,
        _("Audit"),
        _("Who did what, to whom, what was before and what after."),
    ),
    Place(
        "access",
        "console_access.index",
        StaffMay.READ_AUDIT,
        _("Who could act"),
        _("For a Tax ID, on any day: who could act, granted by whom, on what proof."),
    ),
    Place(
        "staff",
        "console_staff.index",
        StaffMay.READ_STAFF,
        _("Staff roles"),
        _("Who of us may do what, and roles that wait for a second administrator."),
    ),
)
