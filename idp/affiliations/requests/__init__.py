"""Access requests: somebody's wish to act for a target, for its managers to decide within 120 hours (B5–B8, C8).

Invariants: one open request per e-mail address and target; undecided, it reads denied from the 120th hour on, whatever
the sweep did; nobody decides their own; whether a target has managers is told to nobody who asks.
"""
