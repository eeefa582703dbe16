"""Authenticators: how a person proves who they are, one folder a kind, and recovery.

Invariants: every attempt is reserved with the limiter before it is verified; hashing runs in no transaction;
known and unknown accounts cost the same work and get the same answer.
"""
