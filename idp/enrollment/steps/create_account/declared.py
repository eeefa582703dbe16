"""Which fields a portal asks for, and when that makes an account that its sign-in page can take."""

from collections.abc import Iterator
from typing import Final

from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Manifest

FIELDS: Final = (
    "user_id", "email", "confirm_email", "password", "confirm_password", "display_name", "first_name", "last_name",
    "phone",
)  # fmt: skip
_DEFAULT: Final = ("email", "confirm_email", "password", "confirm_password", "first_name", "last_name", "phone?")


class Options(StepOptions):
    """`fields` in their order; a name with `?` may be left empty."""

    fields: tuple[str, ...] = _DEFAULT
    check_availability: bool = False
    """*Check Availability* beside the user ID (A3; ruling 6)."""

    def names(self) -> tuple[str, ...]:
        return tuple(name.removesuffix("?") for name in self.fields)

    def required(self) -> frozenset[str]:
        return frozenset(name for name in self.fields if not name.endswith("?"))


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    names = options.names()
    for name in names:
        if name not in FIELDS:
            yield "fields", f"{name!r} is not a field; there are {', '.join(FIELDS)}"
    if len(set(names)) != len(names):
        yield "fields", "names a field twice"
    for name in ("email", "password"):
        if name not in options.required():
            yield "fields", f"{name} is always asked for"
    if manifest.sign_in.identifier == "user_id" and "user_id" not in options.required():
        yield "fields", "user_id is asked for at sign-in, so it has to be chosen here"
    if not {"display_name", "first_name"} & options.required():
        yield "fields", "asks for no name: display_name, or first_name and last_name"
    if options.check_availability and "user_id" not in names:
        yield "check_availability", "asks about a user ID that the page does not ask for"


DECLARED = Declared("create_account", Options, gives=frozenset({Thing.CREDENTIALS}), wrong_at=_wrong_at)
