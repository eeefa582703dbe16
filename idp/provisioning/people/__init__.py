"""`idp people import`: the users of a portal's old table become people with their old logins and their access (X4)."""
