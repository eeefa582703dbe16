"""*Requestor Details* (B4): who asks whom for access, and why; the request is made when the ceremony ends."""
