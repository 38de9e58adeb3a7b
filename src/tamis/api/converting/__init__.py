"""Predictions of other tools into the layout, and out of it again."""
