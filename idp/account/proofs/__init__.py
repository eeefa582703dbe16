"""A person's ways to sign in: factors, recovery codes, remembered devices.

Invariants: nothing is changed without a strong proof of the last 15 minutes; no portal that demands a factor is left
without one by its owner's own hand.
"""
