"""Why a full match is not taken at once. Pure."""

from enum import StrEnum


class Reason(StrEnum):
    """Told only after everything matched (EN-06)."""

    SEVERAL = "several_records"
    MANAGED = "managed_already"
