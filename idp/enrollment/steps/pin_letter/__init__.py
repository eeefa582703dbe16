"""*PIN letter* (D2): the provider ID and the PIN of the letter that the payer sent; used up when access is made."""
