"""Challenge questions, from three groups (A7) or in the person's own words (D3)."""
