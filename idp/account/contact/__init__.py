"""Another e-mail address or telephone for oneself (RC-15, ASVS 7.5.1, 6.3.7).

Invariants: who asks has proven themselves strongly a moment ago; nothing is changed before the new mailbox or telephone
is proven, in a browser where the asking account is signed in; the former one is told, and can put it back for seven days.
"""
