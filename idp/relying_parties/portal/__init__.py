"""What a portal says and demands: registry, evidence, levels, texts, links, help line."""
