"""Access that somebody outside asserts and takes back: an upstream provider, for practices that its connection names.

Invariants: nothing is given for a practice or beyond levels that are not named, nor beyond the portal's own terms; what was
decided here stands; what is no longer said ends, and only what rests on that source; each change is audited and told.
"""
