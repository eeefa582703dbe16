"""Looking up: what staff see of the directory: every record of a provider with its source and date, its history, the imports.

Invariants: reads only; a TIN is found by its blind index and shown masked; whoever calls has made sure that it is staff who
ask (D5), and audits it where it must be known who looked.
"""
