"""Console: the payer's staff: registrants, people who call, clients, directory, keys, messages, audit (MODEL §7).

Invariants: every route names what its caller must be trusted with, and one guard asks for all of them; staff hold a
passkey, security key, push or app; nobody acts on themselves; no secret of anybody is ever shown or set.
"""
