"""The names of the pictures, and one sentence for each reason."""

from dataclasses import dataclass
from typing import Final

from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from idp.authenticators.site_key.rules import PICTURES as CATALOGUE
from idp.authenticators.site_key.rules import Reason, Shown

PICTURES: Final[dict[str, LazyString]] = {
    "apple": _("Apple"),
    "balloon": _("Balloon"),
    "balloons": _("Balloons"),
    "baseball": _("Baseball"),
    "billiards": _("Billiards"),
    "boat": _("Sailboat"),
    "butterfly": _("Butterfly"),
    "cactus": _("Cactus"),
    "candle": _("Candle"),
    "car": _("Car"),
    "cat": _("Cat"),
    "clock": _("Clock"),
    "cup": _("Coffee cup"),
    "fish": _("Fish"),
    "flower": _("Flower"),
    "guitar": _("Guitar"),
    "house": _("House"),
    "ice_cream": _("Ice cream"),
    "kite": _("Kite"),
    "ladybug": _("Ladybug"),
    "leaf": _("Leaf"),
    "lighthouse": _("Lighthouse"),
    "moon": _("Moon"),
    "mushroom": _("Mushroom"),
    "owl": _("Owl"),
    "pencil": _("Pencil"),
    "rocket": _("Rocket"),
    "snowman": _("Snowman"),
    "sun": _("Sun"),
    "tree": _("Tree"),
    "umbrella": _("Umbrella"),
    "whale": _("Whale"),
}

REASONS: Final[dict[Reason, LazyString]] = {
    Reason.NO_PICTURE: _("Choose a picture."),
    Reason.NO_PHRASE: _("Enter a passphrase, a word or a few."),
    Reason.TOO_SHORT: _("The passphrase has at least 2 characters."),
    Reason.TOO_LONG: _("The passphrase has at most 60 characters."),
    Reason.NOT_PRINTABLE: _("Use letters, numbers, spaces and punctuation only."),
    Reason.IS_PASSWORD: _("The passphrase is shown before you sign in, so it must not contain your password."),
}


@dataclass(frozen=True, slots=True)
class Displayed:
    """A site key as a page shows it."""

    picture: str
    name: LazyString
    phrase: str


def displayed(shown: Shown) -> Displayed:
    """With the picture's name, which stands for it where it cannot be seen."""
    return Displayed(shown.picture, PICTURES[shown.picture], shown.phrase)


def choices() -> list[tuple[str, LazyString]]:
    """Every picture with its name, in the order of the catalogue: what a person chooses from."""
    return [(key, PICTURES[key]) for key in CATALOGUE]
