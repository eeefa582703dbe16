"""The registration of a client: what may stand together (RFC 7591, OIDC Registration; DESIGN §6)."""
