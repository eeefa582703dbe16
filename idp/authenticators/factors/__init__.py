"""Second factors: what a person holds, the step that asks for one, the step that sets one up.

Invariants: a kind is taken only where the dispatcher said so (`transaction.accepts`); a right factor makes or lifts
exactly one session, under a new cookie; every typed code is counted before it is compared.
"""
