"""Recovery of somebody who lost every factor (RC-22): announced by mail, after a wait, on the evidence of their enrollment.

Invariants: staff and managers only start it, and see or set no secret; any proof of a factor ends it, and so does the
link in its first mail; it takes factors away and gives none: the next sign-in sets a new one up.
"""
