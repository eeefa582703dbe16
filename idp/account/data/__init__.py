"""*Download my data*: everything that is kept about a person, in one file that programs and people can read.

Invariants: only the freshly proven person gets it, and is told of it by mail; no secret and no digest of one is in it,
nor what managers wrote about them (that is the practice's record).
"""
