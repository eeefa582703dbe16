"""Provisioning: people and their access brought in from elsewhere.

Invariants: what a file says about a mailbox proves nothing unless an administrator answers for it (RC-17); nothing
that a person or a manager changed since is changed back; the same file twice changes nothing.
"""
