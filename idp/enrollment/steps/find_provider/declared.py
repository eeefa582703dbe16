"""Which part of the payer's roster a portal serves (ruling 9)."""

from collections.abc import Iterator

from idp.directory.rules import DirectoryFilter, Program
from idp.enrollment.declared import Declared, StepOptions, Thing
from idp.enrollment.steps.coverage.declared import STATES
from idp.relying_parties.manifest import Manifest


class Options(StepOptions):
    """The portal's directory filter; empty means every program, every state."""

    programs: tuple[str, ...] = ()
    states: tuple[str, ...] = ()

    def within(self) -> DirectoryFilter:
        return DirectoryFilter.of(programs=self.programs, states=self.states)


def _wrong_at(manifest: Manifest, options: Options) -> Iterator[tuple[str, str]]:
    for program in options.programs:
        if program not in set(Program):
            yield "programs", f"{program!r} is not one of {', '.join(Program)}"
    for state in options.states:
        if state not in STATES:
            yield "states", f"{state!r} is not a state's two letters"


DECLARED = Declared("find_provider", Options, gives=frozenset({Thing.PROVIDER}), wrong_at=_wrong_at)
