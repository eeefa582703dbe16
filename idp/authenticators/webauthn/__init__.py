"""Passkeys and security keys (WebAuthn Level 3): what py_webauthn leaves to the relying party is decided here (T20).

Invariants: a challenge is used up before anything is verified, and is good for one purpose of one transaction or
session; the user was verified, on a page of ours that stood in no frame; a key whose counter went back is stopped.
"""
