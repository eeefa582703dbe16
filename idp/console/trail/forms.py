"""What an auditor types; a person's login is posted and answered by an address that holds an opaque id only."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, field_validator

from idp.audit.events import Event
from idp.foundation.parsing import Form


class SearchForm(Form):
    """Any of these; empty fields ask for nothing."""

    person: Annotated[str, Field(max_length=254)] = ""
    target: Annotated[str, Field(max_length=64)] = ""
    event: Event | None = None
    day: date | None = None

    @field_validator("event", "day", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value


class ExportForm(Form):
    """What a page of events showed, once more as a file."""

    subject: Annotated[str, Field(max_length=64)] = ""
    target: Annotated[str, Field(max_length=64)] = ""
    event: Event | None = None
    day: date | None = None
    format: Literal["csv", "json"]

    @field_validator("event", "day", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value
