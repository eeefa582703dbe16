"""*Coverage & State Details* (B2): program and state in which a provider is looked for."""
