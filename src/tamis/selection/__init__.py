"""Which samples to label next, and why: arrays in, arrays out."""
