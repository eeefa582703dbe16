"""Subjects: the person, once, whatever portals they use.

Invariants: one canonical key per user ID and per e-mail address, unique; an unproven mailbox has no power;
`epoch` kills everything older that carries it.
"""
