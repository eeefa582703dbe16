"""The steps, one folder each: `declared.py` says where it may stand and what a manifest may tell it, `step.py` does it."""
