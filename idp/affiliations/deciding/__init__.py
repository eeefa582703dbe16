"""Deciding: what a target's managers do with its people (MODEL §7, §10; E3–E10, D8).

Invariants: every act is judged by one rule, in the transaction that does it, under the practice's lock; nobody acts on
themselves; nobody gives or takes what they do not hold; a manager remains; a foreign id is as good as none.
"""
