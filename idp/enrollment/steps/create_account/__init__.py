"""*Create an account*: login, password, name and addresses (A3–A5, C1, D3); nothing of it is anybody's yet (RC-19)."""
