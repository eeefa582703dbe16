"""Recovery by mail: a forgotten password, a forgotten user ID.

Invariants: the answer is the same for everybody and costs the same statements; mail goes to the stored address only;
opening a link changes nothing; a reset signs nobody in and ends everything that was signed in.
"""
