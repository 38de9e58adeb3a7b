"""Embeddings of images, frames and objects: made, stored, looked up, searched."""
