"""Authenticator apps: TOTP (RFC 6238), six digits, 30 seconds, the last step kept so that no code counts twice."""
