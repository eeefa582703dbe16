"""CPU time of a process and all its children."""

import os
import time
from pathlib import Path
from typing import Final

_OF_PROCESS: Final = 2
"""Linux's clock of a process: what all its threads ran, in nanoseconds; /proc/<pid>/stat tells hundredths of a second."""
_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")


def seconds_of_tree(*pids: int) -> float:
    """User and system time used so far by these processes and everything below them, in seconds."""
    return sum(_own(each) for pid in pids for each in _tree(pid))


def resident_mb(pid: int) -> float:
    """Memory of the tree in MB."""
    pages = 0
    for each in _tree(pid):
        try:
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
        except OSError:
            continue
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def _own(pid: int) -> float:
    """Its own, and its children's that have ended: a database closes and opens processes for its connections."""
    try:
        ended = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[13:15]
        return time.clock_gettime((~pid << 3) | _OF_PROCESS) + sum(map(int, ended)) * _TICK
    except OSError:
        return 0.0
