"""*Associate a provider* (C6–C9): a practitioner's or a group's details, all of them as the payer's file has them."""
