"""*Confirmation* (A8, B5): what came of it, and what happens next."""
