"""Approval on the person's phone: a small web app of ours holds a key that never leaves it, and answers with the number
that the sign-in page shows (MODEL §8, MF-17, MF-19).

Invariants: nothing a phone says counts unless its key signed it for that very address, later than all it said before;
one request waits for a person, it is answered once, and only the browser that asked gains by the answer; the number
is never sent to the phone; after three in a row without approval phones are left in peace for an hour.
"""
