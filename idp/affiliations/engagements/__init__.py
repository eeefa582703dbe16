"""Trading partners that work for a practice: the practice engages, caps and ends; the partner assigns its staff (MODEL §2)."""
