"""The outbox: what waits, what was given up, and trying anew; nothing of what a message says."""
