"""Heads outside the database, one JSON line a minute: what a cut tail or a restored copy cannot take along (AU-03)."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from idp.audit.rules import Link

_BEGINS: Final = '{"at":"'
_ENDS: Final = "]}"


def write_heads(path: Path, heads: list[Link], *, now: datetime) -> None:
    """Add the present heads to the file; earlier lines stay, and one that was cut short ends before the new one begins."""
    line = json.dumps(
        {
            "at": now.isoformat(),
            "heads": [{"stream": head.stream, "sequence": head.sequence, "hash": head.hash.hex()} for head in heads],
        },
        separators=(",", ":"),
    )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "ab") as file:
        size = os.fstat(descriptor).st_size
        cut = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        file.write((b"\n" if cut else b"") + line.encode() + b"\n")


def read_heads(path: Path) -> list[Link]:
    """All heads ever exported to the file; `ValueError` names the line that is none.

    A line that was begun and has no end was cut short by a crash or a full disk, and is passed over.
    """
    found: dict[tuple[int, int], Link] = {}
    lines = path.read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines[:-1], start=1):
        if _was_cut(line):
            continue
        try:
            for head in json.loads(line)["heads"]:
                link = Link(int(head["stream"]), int(head["sequence"]), bytes.fromhex(head["hash"]))
                if found.setdefault((link.stream, link.sequence), link) != link:
                    raise ValueError("two hashes for one place")
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"line {number} holds no heads") from error
    return list(found.values())


def _was_cut(line: str) -> bool:
    begun = line.startswith(_BEGINS) or (line != "" and _BEGINS.startswith(line))
    return begun and not line.endswith(_ENDS)
