"""What a manifest says of the account types that a portal offers (A1)."""

from collections.abc import Iterator

from pydantic import Field

from idp.enrollment.declared import Declared, StepOptions
from idp.relying_parties.manifest import Localized, Manifest, Part


class AccountType(Part):
    """One kind of account: this very ceremony, another one of the portal, or a page elsewhere."""

    label: Localized
    help: Localized | None = None
    ceremony: str | None = None
    """Another ceremony of this portal."""
    page: str | None = None
    """A help text beside the manifest: for those who cannot register here by themselves."""


class Options(StepOptions):
    """The types in the order in which they are listed; one without ceremony and page is this ceremony's own."""

    types: tuple[AccountType, ...] = Field(min_length=1)


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    here = [each for each in options.types if each.ceremony is None and each.page is None]
    if len(here) != 1:
        yield "types", "exactly one type, without ceremony and page, is this ceremony itself"
    pages = {link.page for link in manifest.links}
    for each in options.types:
        if each.ceremony is not None and each.page is not None:
            yield "types", "a type leads to a ceremony or to a page, not to both"
        if each.ceremony is not None and each.ceremony not in manifest.enrollment:
            yield "types", f"{each.ceremony!r} is not one of this portal's ceremonies"
        if each.page is not None and each.page not in pages:
            yield "types", f"{each.page!r} is not a page that one of this portal's links names"


DECLARED = Declared("choose_account_type", Options, numbered=False, alone=True, wrong_at=_wrong_at)
