"""OpenID Connect and OAuth: the endpoints, their grants, tokens, claims, discovery and logout.

Invariants: a request is read by a closed schema before anything else sees it; a code is issued only on sign-in's
verdict in the same transaction; every token hangs on a live grant or an approved client.
"""
