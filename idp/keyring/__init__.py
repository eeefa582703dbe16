"""The keyring: reads `keys/`, picks the key that signs, publishes the public ones, rotates.

Invariants: the folder is the state; a key moves only forward, `next` → `active` → `retired`; it is published before it
signs and after it has stopped, for as long as anything that it signed is accepted; a broken folder is refused at start
and, on a running node, changes nothing (SECURITY R-21, KY-10, KY-14, RA-10).
"""
