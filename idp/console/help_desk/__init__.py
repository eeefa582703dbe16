"""Help desk: somebody calls, and staff help without ever seeing or setting a secret (X5; MODEL §7; AD-19).

Invariants: nothing of a person is shown before the reason is on record; identifiers are masked; mail starts only after the
caller was checked, and goes to the stored address; a case is its opener's alone and lasts half an hour.
"""
