"""The directory: whom one can act for: providers, practices, trading partners, letters.

Invariants: a registry is one payer's file and numbers are unique within it; a TIN is sealed, found by blind index and
masked; a practice is an internal id that may keep or lose its number, never the number itself.
"""
