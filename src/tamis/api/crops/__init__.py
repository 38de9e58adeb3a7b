"""Objects cut out of their images, as a datasource of its own."""

from tamis.api.crops.chosen import task_of_objects
from tamis.api.crops.options import CropOptions, CropsReport
from tamis.api.crops.run import write_crops

__all__ = ["CropOptions", "CropsReport", "task_of_objects", "write_crops"]
