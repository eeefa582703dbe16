"""*NPI or Provider Details* (B3): one provider of those that the portal serves, found by NPI or by name."""
