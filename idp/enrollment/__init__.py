"""Enrollment: how somebody gets an account or access at a portal, by a ceremony that the portal's manifest lists.

Invariants: the engine knows no portal; a step never names another one, the dispatcher (a pure rule) says which page is
next; what is typed is sealed on the server and has no power until the last proof (RC-19), when all of it happens in
one transaction; an answer to a guess says neither which field was wrong nor who is known.
"""
