"""Upstream providers as data: `clients/connections/<name>.toml`, planned and applied by `idp connections`."""
