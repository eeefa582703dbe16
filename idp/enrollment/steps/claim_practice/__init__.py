"""*Claim a practice* (E0; B's register): its Tax ID and a ZIP code, or those of the provider that was picked before."""
