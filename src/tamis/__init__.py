"""Decide from a model's predictions what to label next."""

__version__ = "0.1.0"
