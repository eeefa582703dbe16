"""The audit as an auditor reads it: by person, target, event and day, what was before and what after; newest first."""
