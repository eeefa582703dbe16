"""Relying parties: portals and partner apps as applied from their manifests.

Invariants: what endpoints see is an immutable `RelyingParty`, cached for at most a second; secrets are kept as digests.
"""
