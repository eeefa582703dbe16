"""Recovery codes: ten, shown once, each good once in the place of a lost factor."""
