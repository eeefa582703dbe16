"""The schema's history: forward only, each step compatible with the release before it (DESIGN §8).

`run.py` is the only way in: it makes two migrators wait for each other and gives the application's role its rights.
"""
