"""Relying parties as applied: read, switched off and on, given a new secret. What they are is their manifest's (`idp relying-parties`)."""
