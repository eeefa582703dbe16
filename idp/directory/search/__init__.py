"""Search: found at once among all of the country's names, the same on both databases, page by page.

Invariants: a page is read off an index in its order (word found, name, record), so that it costs the same at eight million
records as at eight hundred; a word that no name has is taken for the nearest that one has, and the page says so; nothing
that is typed is a wildcard.
"""
