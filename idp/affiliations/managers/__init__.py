"""Managers: the people who may decide about a target's people, and how they hear of it."""
