"""What any relying party needs: to find the provider, to ask for a sign-in, and to check every token it is handed.

Invariants: no token is believed before its signature, type, issuer, audience and time are checked (`tokens`); no
answer is accepted that this browser did not ask for (`sign_in`); tokens live on the server, the browser holds an
opaque cookie (`visits`).
"""
