"""Where the note on how a trading partner ID is obtained leads; the portal acts for trading partners."""

from collections.abc import Iterator

from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.relying_parties.manifest import Manifest
from idp.vocabulary.affiliation import TargetKind


class Options(StepOptions):
    """`help_page` is one of the texts beside the manifest."""

    help_page: str | None = None


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    if manifest.portal is not None and TargetKind.TRADING_PARTNER not in manifest.portal.acting_for:
        yield "", "proves access to a trading partner, which portal.acting_for does not list"
    if options.help_page is not None and options.help_page not in {link.page for link in manifest.links}:
        yield "help_page", f"{options.help_page!r} is not a page that one of this portal's links names"


DECLARED = Declared("identify_trading_partner", Options, gives=frozenset({Thing.TARGET}), wrong_at=_wrong_at)
