"""One line of a file that somebody sent: every fault of it collected, so that a reject says all of them at once. Pure."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

Fault = TypeVar("Fault", bound=StrEnum)
Value = TypeVar("Value")


class LineReading(Generic[Fault]):
    """The cells of a line by column, and what is wrong with them so far, each fault once."""

    def __init__(self, cells: Mapping[str, str]) -> None:
        self.cells = cells
        self.faults: list[Fault] = []

    def blame(self, fault: Fault) -> None:
        """Keep a fault."""
        if fault not in self.faults:
            self.faults.append(fault)

    def take(self, column: str, fault: Fault, parse: Callable[[str], Value]) -> Value | None:
        """The cell as `parse` reads it; `None`, and the fault kept, where it raises `ValueError`."""
        try:
            return parse(self.cells[column])
        except ValueError:
            self.blame(fault)
            return None
