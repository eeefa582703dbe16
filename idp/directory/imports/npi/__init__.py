"""NPI records: NPPES's dissemination files and FHIR R4 Plan-Net bundles.

Invariants: they fill the NPI record and nothing else, they never match a person or grant anything (MODEL §2); an NPI that
NPPES calls deactivated takes its provider records out of force, in the same transaction, until NPPES takes it back.
"""
