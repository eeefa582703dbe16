"""Rows for tests, written straight into the tables; `make` of `tests/conftest.py` gives them out."""

from tests.factories.make import Make

__all__ = ["Make"]
