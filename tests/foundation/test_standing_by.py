"""Who waits for a worker to serve: until it says so, or has died (R-03)."""

from pathlib import Path

import pytest

from idp.foundation import standing_by


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(standing_by.FOLDER, str(tmp_path))
    return tmp_path


def test_a_worker_that_serves_is_waited_for_and_a_dead_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    alive = iter([True, True, False])
    assert not standing_by.wait(4711, seconds=60, is_alive=lambda: next(alive))
    monkeypatch.setattr("os.getpid", lambda: 4711)
    standing_by.tell()
    assert standing_by.wait(4711, seconds=60, is_alive=lambda: False)


@pytest.mark.parametrize(("folder_of", "ends"), [("4711", [4711]), ("4712", []), (None, [])])
def test_R_19_a_worker_ends_the_server_that_started_it_and_no_other_process(
    folder_of: str | None, ends: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if folder_of is None:
        monkeypatch.delenv(standing_by.FOLDER)
    else:
        monkeypatch.setenv(standing_by.FOLDER, f"/data/metrics-{folder_of}")
    ended: list[int] = []
    monkeypatch.setattr("os.getppid", lambda: 4711)
    monkeypatch.setattr("os.kill", lambda pid, _signal: ended.append(pid))
    standing_by.end_server()
    assert ended == ends


def test_without_a_folder_nothing_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(standing_by.FOLDER)
    standing_by.tell()
    assert list(folder.iterdir()) == []
