"""*Close my account*.

Invariants: only its owner closes it, freshly proven and by typing its name; no practice loses its last manager by it;
everything that is signed in ends in the same transaction; whether it can be opened again is decided when it is read,
and the worker only deletes what nobody can get back any more.
"""
