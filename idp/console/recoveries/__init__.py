"""Recoveries of people who lost every factor: the payer's word that it is they, never a secret (RC-22)."""
