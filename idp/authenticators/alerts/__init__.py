"""Telling people about sign-ins that may not be theirs, with a link that ends what is not (ASVS 6.3.5, AU-10).

Invariants: opening the link changes nothing; using it ends every session, grant and remembered device, takes away what
was set up since, and leaves a reset by mail as the only way in.
"""
