"""The words of the house as types: no input or output, no framework, nothing above them."""
