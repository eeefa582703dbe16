"""Writing to a portal's support from its own pages (X7)."""
