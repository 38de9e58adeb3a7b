"""Objects cut out of their images, as a datasource of its own."""

from tamis.api.crops.options import CropOptions, CropsReport
from tamis.api.crops.run import write_crops

__all__ = ["CropOptions", "CropsReport", "write_crops"]
