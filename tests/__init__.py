"""The tests; `conftest.py` says how to use what they share."""
