"""Finding a target's people by how a word of their name, e-mail address or user ID begins."""
