"""One person's access from several sources: another portal's statement about the same target, or another account's."""
