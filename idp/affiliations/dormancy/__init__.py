"""Dormancy: access that nobody uses ends by itself after 90 days (E6, MODEL §10).

Reading decides (`affiliations.rules.status_at`); the sweep only makes it durable, and writes to the person before.
"""
