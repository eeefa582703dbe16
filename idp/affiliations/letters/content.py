"""What one letter says, in the language of the batch; how it is set is `page`'s business."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask_babel import force_locale

from idp.affiliations.letters import words
from idp.affiliations.letters.rules import Asked
from idp.directory.letters.rules import NewLetter, Span
from idp.foundation import i18n
from idp.messaging.rules import Brand, one_line

NAME_SHOWN: Final = 120
_DAY: Final = {"en": "MMMM d, y", "es": "d 'de' MMMM 'de' y"}
_MOMENT: Final = {"en": "EEEE, MMMM d, y, h:mm a", "es": "EEEE d 'de' MMMM 'de' y, h:mm a"}


class TooLong(ValueError):
    """The words do not fit one page."""


@dataclass(frozen=True, slots=True)
class Printing:
    """What all letters of a batch share."""

    brand: Brand
    url: str
    """Where the Login ID and the PIN are typed in."""
    span: Span
    language: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Content:
    """One page of words."""

    portal: str
    accent: str
    date: str
    address: tuple[str, ...]
    """For the envelope's window: nothing secret."""
    heading: str
    intro: str
    login_label: str
    login_id: str
    pin_label: str
    pin: str = field(repr=False)
    spelled: str = field(repr=False)
    until: str
    what_to_do: str
    steps: tuple[str, ...]
    url: str
    keep: str
    advice: tuple[str, ...]
    help: str
    reference: str


def contents(printing: Printing, letters: Sequence[tuple[Asked, NewLetter]]) -> list[Content]:
    """The letters as words; needs an application context, no request."""
    with force_locale(printing.language):
        return [_content(printing, asked, letter) for asked, letter in letters]


def reference(letter: NewLetter) -> str:
    """What somebody at the telephone can be told to tell letters apart; the end of its id, which is random."""
    return letter.id.hex[-8:].upper()


def _content(printing: Printing, asked: Asked, letter: NewLetter) -> Content:
    portal, brand = printing.brand.name, printing.brand
    pin = letter.pin.reveal()
    helping = words.HELP_HOURS if brand.help_hours else words.HELP
    return Content(
        portal=portal,
        accent=brand.accent,
        date=format_date(printing.span.issued_on, _DAY[printing.language], locale=printing.language),
        address=_address(asked, letter),
        heading=words.HEADING % {"portal": portal},
        intro=words.INTRO % {"provider": one_line(letter.addressee.name, limit=NAME_SHOWN), "portal": portal},
        login_label=str(words.LOGIN_ID),
        login_id=letter.addressee.provider_id,
        pin_label=str(words.PIN),
        pin=pin,
        spelled=words.SPELLED % {"spelled": ", ".join(_spoken(character) for character in pin)},
        until=words.UNTIL % {"moment": moment(printing)},
        what_to_do=str(words.WHAT_TO_DO),
        steps=(str(words.STEP_ADDRESS), str(words.STEP_ENTER), str(words.STEP_ACCOUNT)),
        url=printing.url,
        keep=str(words.KEEP),
        advice=(str(words.SHARE), str(words.REPLACES)),
        help=helping % {"phone": brand.help_phone or "", "hours": brand.help_hours or ""},
        reference=words.REFERENCE % {"reference": reference(letter)},
    )


def moment(printing: Printing) -> str:
    """When the PIN ends, in words, with the zone."""
    local = printing.span.ends_at.astimezone(printing.zone)
    said = str(format_datetime(local, _MOMENT[printing.language], tzinfo=printing.zone, locale=printing.language))
    said = said.replace("\u202f", " ").replace("\xa0", " ")
    if printing.language == i18n.DEFAULT:
        said = said.replace(" AM", " am").replace(" PM", " pm")
    return " ".join((said, local.tzname() or "")).strip()


def _address(asked: Asked, letter: NewLetter) -> tuple[str, ...]:
    """Name, street, city, state and ZIP code, as far as somebody knows them."""
    zip_code = next(iter(letter.addressee.zip_codes), "")
    place = " ".join(part for part in (asked.city and f"{asked.city},", letter.addressee.state, zip_code) if part)
    return tuple(line for line in (letter.addressee.name, asked.street, place) if line)


def _spoken(character: str) -> str:
    if character.isdigit():
        return character
    said: str = (words.CAPITAL if character.isupper() else words.SMALL) % {"letter": character}
    return said
