"""*I have another account*: a person proves both, sees what moves, and has one account afterwards (X4)."""
