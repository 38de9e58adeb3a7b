"""Scores, class rows and vectors of samples, from their predictions alone. Pure numpy, arrays in and out."""

from tamis.scoring.classes import category_counts, class_rows
from tamis.scoring.names import (
    MEAN_UNCERTAINTY,
    OBJECT_FREQUENCY,
    OBJECTNESS,
    SCORE_NAMES,
    UNCERTAINTIES,
    available_scores,
    check_score,
)
from tamis.scoring.samples import map_object_frequency, sample_scores
from tamis.scoring.uncertainty import ENTROPY, LEAST_CONFIDENCE, MARGIN, object_scores, row_uncertainty
from tamis.scoring.vectors import prediction_vectors, vector_names

__all__ = [
    "ENTROPY",
    "LEAST_CONFIDENCE",
    "MARGIN",
    "MEAN_UNCERTAINTY",
    "OBJECTNESS",
    "OBJECT_FREQUENCY",
    "SCORE_NAMES",
    "UNCERTAINTIES",
    "available_scores",
    "category_counts",
    "check_score",
    "class_rows",
    "map_object_frequency",
    "object_scores",
    "prediction_vectors",
    "row_uncertainty",
    "sample_scores",
    "vector_names",
]
