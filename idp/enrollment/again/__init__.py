"""Proving again what access rests on, for somebody who lost every factor (RC-22).

Invariants: only in the browser that opened the mailed link; the evidence is as strong as the strongest that the person's
access rests on; who brings it gets nothing but their factors removed.
"""
