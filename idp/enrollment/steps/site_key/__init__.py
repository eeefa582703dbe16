"""The picture and phrase by which a person will recognise the portal (A6)."""
