"""The keys' folder: what is in it, and the ordinary rotation. What leaked is taken away on the command line (`idp keys retire`)."""
