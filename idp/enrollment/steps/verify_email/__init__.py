"""*Verify the e-mail address* (A8, A9, C3): waits for the mailed link, with or without the password typed there."""
