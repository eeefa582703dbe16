"""Which addresses a manifest may hold: pages, redirects, and what this server itself will call."""
