"""A portal's colours and logo: readable, and harmless (LOOK, Brands; DR-05)."""
