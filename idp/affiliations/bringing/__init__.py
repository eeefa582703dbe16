"""Bringing access from another registry: offered, never silent, and only where the target exists here (MODEL §1).

Invariants: what is brought lets nobody manage, counts only at portals that accept it from there, is brought once and no
further, and never undoes what was decided here.
"""
