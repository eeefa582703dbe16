"""Manifests: from `clients/manifests/` to the database, by plan and apply.

Nothing is applied unless everything is right; what is wrong is said with file, line, key and reason.
"""
