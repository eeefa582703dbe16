"""Ownership: when the records that hold a TIN are no longer those whose people we know."""
