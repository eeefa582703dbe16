"""What every room stands on: database, artefacts, limiter, clock, vault, jose, outgoing HTTP, front door, pages.

It knows no room above it: outcomes are returned and the caller audits them; keys arrive as arguments.
"""
