"""How well somebody must prove who they are for one request: the portal's policy, `acr`, freshness (MODEL §3, §8)."""
