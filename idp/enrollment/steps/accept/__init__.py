"""*Accept* (B7, E10): the invitation whose link this browser opened; its yes is said when the ceremony ends."""
