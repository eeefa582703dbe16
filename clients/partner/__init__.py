"""The demo partner app: a claims analytics vendor, not a portal.

Two ways to tokens: a person's consent (code flow, `connect`), or its own approval (client credentials, `asking`). And
one tiny protected API (`api`) that shows what a resource server checks before it answers. Written to be copied.
"""
