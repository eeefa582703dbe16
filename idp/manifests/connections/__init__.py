"""Plan and apply of `clients/connections`, as strict as of manifests: all of it or nothing, and the difference first."""
