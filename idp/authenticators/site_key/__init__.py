"""Site key: a picture and a phrase that a person chose, shown after the user ID so that they know the portal (A6).

Invariants: it proves nothing about the person and shows only where a manifest switches it on (ruling 1, RC-21); whoever has
none, and whoever does not exist, gets a decoy that never changes.
"""
