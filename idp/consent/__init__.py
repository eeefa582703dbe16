"""Consent: what a person agreed to release and to whom (grants), and which agreements they accepted.

Invariants: one live grant per session and client; a grant is dead when an epoch it carries is no longer current,
so nothing below needs to write here.
"""
