"""What vectors say of each other: nearest neighbours, near-duplicates, a picture in two dimensions. Arrays only.

All distances are Euclidean between vectors of length 1, so from 0 (same direction) to 2 (opposite).
"""

from tamis.vectors.duplicates import Duplicates, find_duplicates, typical_distance
from tamis.vectors.nearest import nearest_rows, unit_rows
from tamis.vectors.projection import project_neighbours, project_pca

__all__ = [
    "Duplicates",
    "find_duplicates",
    "nearest_rows",
    "project_neighbours",
    "project_pca",
    "typical_distance",
    "unit_rows",
]
