"""Remembered devices: a browser in which a person need not prove their factor again for some days (C5).

Invariants: remembered only in the transaction that took the factor; good for one person; the cookie changes with every
use, and a former one that comes back later is a copy; it never adds to `acr` or `amr`.
"""
