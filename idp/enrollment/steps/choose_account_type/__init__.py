"""*Choose an account type* (A1): which ceremony is meant for the registrant."""
