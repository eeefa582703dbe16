"""Sessions: a browser's sign-in, the authorization requests parked while it signs in, and logout fan-out.

Invariants: cookies hold random values whose digests are stored; a session gets a new id at every privilege change;
a transaction's request never changes once parked, and a step acts only while the transaction awaits it.
"""
