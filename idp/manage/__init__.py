"""Manage: the account managers' place (E3–E10, B6): the people of a target, their access, and who asks for it.

Invariants: every page is for one target at one portal, proven by `Acting` in the same request; a foreign target or person
is answered like one that does not exist; every change is judged anew in its transaction by `affiliations.deciding`.
"""
