"""Audit: append-only, hash-chained, in the transaction of what it tells.

Invariants: sixteen streams by hash of practice or person; an event joins its stream's chain under the head's lock,
taken last; the application's role can add rows and nothing else (PostgreSQL), triggers refuse the rest (SQLite).
"""
