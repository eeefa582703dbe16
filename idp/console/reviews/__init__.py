"""Reviews of access that nobody has confirmed in time, or that end soon: whom the payer calls."""
