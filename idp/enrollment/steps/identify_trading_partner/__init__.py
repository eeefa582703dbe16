"""*Identify the trading partner* (A2): ZIP code and trading partner ID must be a pair on the payer's roster."""
