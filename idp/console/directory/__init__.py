"""What the payer's files hold, for staff: one record with its dates, and how imports went.

Invariants: a TIN is searched by its blind index, never stands in an address, and is shown masked.
"""
