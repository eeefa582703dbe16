"""*Sign-in from elsewhere*: the identities at other providers by which the person signs in here."""
