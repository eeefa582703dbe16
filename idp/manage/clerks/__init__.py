"""*Clerk Maintenance*: adding a new person with a temporary password, or one who has an account (D6, D7)."""
