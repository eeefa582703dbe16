"""Account: a person's own pages: overview, profile, password, sessions, access, connected apps.

Invariants: everything is the signed-in person's own (a foreign id is a 404); every change is a confirmed POST; changing
the password asks for the current one.
"""
