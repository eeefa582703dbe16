"""Challenge questions: what two portals still ask for (A7, D3), and the weakest proof there is.

Invariants: answers are argon2id digests, counted by the limiter that passwords share, and never stand alone: a right set
of answers is one boolean to be added to another proof (ruling 1), lifts no `acr` and forgives no failure.
"""
