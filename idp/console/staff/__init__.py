"""Staff roles: who holds which, and how two administrators give one.

Invariants: nobody proposes or confirms a role for themselves; who proposed does not confirm; an administrator remains.
"""
