"""The demo: invented people and payers loaded into an ordinary installation, and everything started beside it.

Invariants: only ever in demo mode, on loopback; loading twice changes nothing; what it starts, it stops.
"""
