"""Who may act for a practice on any day, granted by whom, on what proof: read off the audit alone.

Every transaction that changes an affiliation leaves there how it stands afterwards; nothing else is needed to answer.
"""
