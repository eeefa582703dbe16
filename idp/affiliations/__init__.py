"""Affiliations: who may act for whom, with which rights, until when: the centre of the model.

Invariants: at most one affiliation that has not ended per (subject, registry, target); its status is read through
`status_at(now)`; every change bumps `epoch`; nobody grants what they do not hold.
"""
