"""Signing in with an identity that somebody already has: hospitals' and payers' own providers (OpenID Connect, SAML 2.0).

An upstream answer is (connection, issuer, subject) and nothing else by itself: it names somebody here only by a link that
this person made while signed in (D6, FE-01), it proves what its connection lets it prove (FE-11), and gives no right to
act for anybody. Both protocols end in `service.arrived`; the pages that follow are steps of the dispatcher's.
"""
