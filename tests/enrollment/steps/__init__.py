"""Each step through the engine, as a browser meets it."""
