"""Which changes of the directory suspend whom, and which let them act again."""

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from idp.directory.changed import DirectoryChange, What

_OF_THE_RECORD: Final = frozenset({What.ENDED, What.NPI_DEACTIVATED, What.TIN_CHANGED})
_COMES_BACK: Final = frozenset({What.RESTORED, What.NPI_REACTIVATED})
_MAY_EMPTY: Final = frozenset({What.ENDED, What.NPI_DEACTIVATED, What.TIN_CHANGED})
"""Its practice may have nobody in force any more."""


def suspended(changes: Iterable[DirectoryChange]) -> Mapping[tuple[UUID, str | None], What]:
    """Records, practices and trading partners for which nobody can act any more, each with the first reason.

    A practice's number is gone in every registry (`None`); its records have left in one.
    """
    found: dict[tuple[UUID, str | None], What] = {}
    for change in changes:
        if change.what is What.PARTNER_ENDED and change.partner_id is not None:
            found.setdefault((change.partner_id, None), change.what)
        elif change.what is What.PRACTICE_RETIRED and change.practice_id is not None:
            found.setdefault((change.practice_id, None), change.what)
        elif change.what is What.PRACTICE_MERGED and change.practice_id is not None:
            found.setdefault((change.practice_id, change.registry), change.what)
        elif change.provider_id is not None and change.what in _OF_THE_RECORD:
            found.setdefault((change.provider_id, None), change.what)
    return found


def may_return(changes: Iterable[DirectoryChange]) -> Mapping[UUID, What]:
    """Records, their practices, and trading partners, for which somebody may be able to act again; the roster says whether (MODEL §10)."""
    found: dict[UUID, What] = {}
    for change in changes:
        if change.what is What.PARTNER_RESTORED and change.partner_id is not None:
            found.setdefault(change.partner_id, change.what)
        if change.provider_id is not None and change.practice_id is not None and change.what in _COMES_BACK:
            found.setdefault(change.provider_id, change.what)
            found.setdefault(change.practice_id, change.what)
    return found


def to_look_at(changes: Iterable[DirectoryChange]) -> Mapping[tuple[UUID, str], What]:
    """Practices, each in its registry, that may have lost their last record in force."""
    found: dict[tuple[UUID, str], What] = {}
    for change in changes:
        if change.practice_id is not None and change.what in _MAY_EMPTY and change.was_in_force:
            found.setdefault((change.practice_id, change.registry), change.what)
    return found


def practices_of(changes: Iterable[DirectoryChange]) -> Mapping[UUID, tuple[UUID, str]]:
    """Whose records are cut off or come back: the practice before the change, in its registry."""
    found: dict[UUID, tuple[UUID, str]] = {}
    for change in changes:
        told = change.what in _OF_THE_RECORD | _COMES_BACK
        if told and change.provider_id is not None and change.practice_id is not None:
            found.setdefault(change.provider_id, (change.practice_id, change.registry))
    return found
