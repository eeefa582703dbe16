"""A folder of keys that a test may change."""

import shutil
from pathlib import Path

import pytest

from tests.factories.keys import write_keys


@pytest.fixture(scope="package")
def master_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_keys(tmp_path_factory.mktemp("master") / "keys")


@pytest.fixture
def folder_of_keys(master_keys: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(master_keys, tmp_path / "keys"))
