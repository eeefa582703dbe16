"""Remembered devices: a browser in which a person need not prove their factor again for some days (C5).

Invariants: remembered only in the transaction that took the factor; good for one person; the cookie changes with every
use, and one that comes back after its successor was used is a copy; it never adds to `acr` or `amr`.
"""
