"""`clients/demo/registering.toml` as data: with what a newcomer can register at each portal."""

import tomllib
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE: Final = "registering.toml"


class WrongSamples(ValueError):
    """The file cannot be read; the message says where."""


class Sample(BaseModel):
    """One way into one portal, in the words of its page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    portal: str
    way: str = Field(alias="as")
    name: str
    fields: dict[str, str] = Field(min_length=1)
    note: str = ""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    registering: tuple[Sample, ...] = Field(min_length=1)


def read(path: Path) -> tuple[Sample, ...]:
    """Every sample, in the file's order."""
    try:
        return _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).registering
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WrongSamples(f"{path.name}: {error}") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise WrongSamples(f"{path.name}: {faults}") from None
