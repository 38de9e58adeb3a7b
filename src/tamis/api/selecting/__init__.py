"""From an index and a config to picks with reasons: inputs, run, files."""
