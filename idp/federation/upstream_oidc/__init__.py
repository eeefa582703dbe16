"""Upstream OpenID providers: discovery, code with PKCE, ID token, UserInfo, and both kinds of sign-out."""
