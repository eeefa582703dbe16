"""*Messages* (D5): what was sent to the signed-in person, by what it was about; never its text, which is wiped."""
