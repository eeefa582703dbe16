"""Both sides of an engagement: the practice's trading partners, and the practices that a trading partner works for."""
