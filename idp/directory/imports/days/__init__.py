"""Days: what a record's dates announce, told on the day on which it comes about."""
