"""*Who could act* for a Tax ID on a day, granted by whom, on what proof: the auditor's question (AU-06)."""
