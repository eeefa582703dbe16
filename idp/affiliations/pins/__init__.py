"""PINs: what stands in the letter that a payer sent to a provider, tried and used up (D2, EN-01…03, ruling 11).

Invariants: an attempt is counted before it is compared; a provider ID that nobody has costs and counts the same;
five wrong PINs pause the provider ID for an hour, twenty void its letters; a PIN makes one affiliation.
"""
