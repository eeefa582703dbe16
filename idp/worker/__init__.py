"""Worker: does what is owed and can wait: messages, logout calls, clearing up.

Invariants: nothing is right only because a worker ran (D10); any number of them may run, none too; what is sent is
sent outside every transaction, and a worker killed at any point repeats at most, never loses (R-29).
"""
