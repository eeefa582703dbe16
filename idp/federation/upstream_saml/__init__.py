"""Sign-in by a SAML 2.0 identity provider: we ask by redirect, it answers by POST with a signed assertion (Web Browser SSO).

What is read of an answer is what its verifier returned, under certificates pinned by the provider's metadata. An answer
leads in only the browser whose request it names; one that nobody asked for begins a sign-in, and is none itself.
"""
