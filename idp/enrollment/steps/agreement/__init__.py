"""*Agreement* (C10, D3): the portal's versioned text, accepted; kept when the ceremony ends."""
