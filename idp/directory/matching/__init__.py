"""Matching: who a person says they act for, held against the payer's file (PORTALS A2, C6, C7, E0; MODEL §2).

Invariants: a field that is not asked is not compared, one that is asked and left empty never matches; what is not in force
and a practice without its number never match; a hit, a miss and nonsense cost the same statements; why not is for the audit
alone, and callers have one sentence for every no. Counting attempts is the caller's (EN-01, EN-04).
"""
