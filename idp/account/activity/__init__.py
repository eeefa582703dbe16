"""What happened to a person's account lately, in plain words, from the audit; nothing here can be changed."""
