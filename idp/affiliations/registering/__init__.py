"""Registering: from a proof that somebody may act for a target to what it becomes (MODEL §10).

Invariants: a proof gives what the portal's manifest says and no more; where somebody manages the target a match of
data alone opens a request and no access; two first managers at once are one manager and one request (EN-17).
"""
