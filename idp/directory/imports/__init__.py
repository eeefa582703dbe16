"""Importing the payer's files: streamed, every row validated, committed in batches, run twice without effect.

Invariants: a batch is one transaction; what a bad file did before its bad line stays, nothing after it; rejects name
line and reason and never hold a full TIN or a PIN.
"""
