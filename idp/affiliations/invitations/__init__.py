"""Invitations: a manager's yes on its way to the person's mailbox (B7, E5, E10; MODEL §9).

Invariants: one link works at a time and for seven days from its sending; who accepts is the person it was sent to, signed
in, in the browser that opened the link; what it gives is what the manager could give when they gave it, and
still can when it is accepted: who loses that right takes their open invitations along.
"""
