"""The first page of the console: what waits for whom."""
