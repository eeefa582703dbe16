"""Registrar: what no account manager can decide, since there is none: first registrants (E1) and escalated requests.

Invariants: nothing is decided while the target has an active manager; nobody decides on themselves; what changed since the
page was shown is not decided; a yes is worth the payer's own evidence.
"""
