"""Why an import did not take something, or took it in a way that is worth a word."""

from __future__ import annotations

from typing import NamedTuple


class ImportCode(NamedTuple):
    """A reason why something was not taken, or was taken in a way that is worth a word.

    Attributes:
        summary: what is the matter, one line.
        hint: what to do about it.
        drops: whether what it is about was not taken.
    """

    summary: str
    hint: str
    drops: bool = True


IMPORT_CODES: dict[str, ImportCode] = {
    "record-unreadable": ImportCode(
        "The record is not what its format says", "Mend the record, or the program that wrote it"
    ),
    "file-unreadable": ImportCode("The file cannot be read", "Look at the file; what else was given was taken"),
    "image-unknown": ImportCode(
        "The record is of an image that nothing describes",
        "Give the annotation file that lists this image with `--annotations`",
    ),
    "image-missing": ImportCode(
        "The image is not in the datasource",
        "Put the images there, say where they lie with `--prefix`, or take them anyway with `--keep-missing`",
    ),
    "frame-missing": ImportCode(
        "The video is not in the datasource, not named, or has no such frame",
        "Put it there by that name; frames count from 0, padded to the digits of their total: see `tamis frames`",
    ),
    "image-ambiguous": ImportCode(
        "Several images of the datasource have that name", "Say in which folder they lie with `--prefix`"
    ),
    "image-shared": ImportCode(
        "Several images of the input would be one image of the datasource, by the ends of their paths",
        "Put the images there that the input names, or say where they lie with `--prefix`",
    ),
    "image-twice": ImportCode(
        "Two parts of the input are for one prediction file: of two images that differ in their ending only, or of "
        "one image",
        "Rename one of the images, or put the parts together",
    ),
    "image-name": ImportCode("The image cannot be a sample by that name", "Rename the image"),
    "size-needed": ImportCode(
        "The format counts in shares of the image, whose size is not known", "Put the image into the datasource"
    ),
    "shares-expected": ImportCode(
        "The lengths are no shares of the image, but much larger, as pixels are",
        "Say with `--columns` and `--pixels` that boxes count in pixels; divide polygons by the size of the image",
    ),
    "image-turned": ImportCode(
        "Viewers turn the image, by its orientation in EXIF: shares were taken of the image as it is stored",
        "Nothing, if the shares are of that; where boxes lie wrong, store the image turned, without that flag",
        drops=False,
    ),
    "image-size-differs": ImportCode(
        "The file says another size of the image than the image itself: the image counts",
        "If the predictions were made on a resized image, scale them back first",
        drops=False,
    ),
    "image-elsewhere": ImportCode(
        "The image does not lie where it is said to: it was found by the end of its path",
        "Nothing, if those are the images; else say where they lie with `--prefix`",
        drops=False,
    ),
    "category-name-unknown": ImportCode(
        "The category is none of those that are described", "Name all categories with `--classes`"
    ),
    "columns-unused": ImportCode(
        "Columns of the table are none that is known: they were left out",
        "Nothing, if they say nothing of predictions; else rename them to columns that are known",
        drops=False,
    ),
    "box-turned": ImportCode(
        "The box is turned: the upright box around it was taken",
        "Nothing, if upright boxes will do; else write polygons",
        drops=False,
    ),
    "box-missing": ImportCode("The record has no box", "Give another `--type`"),
    "mask-missing": ImportCode("The record has no mask", "Give another `--type`"),
    "mask-broken": ImportCode("The mask cannot be read", "Mend the record, or the program that wrote it"),
    "mask-outside-image": ImportCode(
        "No part of the polygons is inside the image",
        "Scale polygons to the image, and check that they belong to it and count from its top-left corner",
    ),
    "mask-size": ImportCode(
        "The mask has another size than its image", "Scale the mask to the image, or use the image it was made on"
    ),
    "more-than-box": ImportCode(
        "The record has a mask or keypoints, but the first records of its file are boxes: its box alone was taken",
        "Say with `--type` what to take: `instance-segmentation`, `keypoint-detection` or `object-detection`",
        drops=False,
    ),
    "keypoints-missing": ImportCode("The record has no keypoints", "Give another `--type`"),
    "keypoints-broken": ImportCode("The keypoints are not three numbers each", "Mend the record"),
    "keypoint-flag": ImportCode(
        "The third number of a keypoint is neither a confidence nor a visibility of 0, 1 or 2",
        "Say with `--visibility` that these are COCO's flags, or write confidences from 0 to 1",
    ),
    "score-missing": ImportCode(
        "The record has no score, and none is invented", "Say with `--score` which score such records get"
    ),
    "empty-unsure": ImportCode(
        "Images are listed without a record, but records are missing that may be theirs: no files were written "
        "that say that nothing is there",
        "Mend the input",
        drops=False,
    ),
    "segment-unknown": ImportCode(
        "The picture has pixels of a segment that nothing describes", "Describe it in `segments_info`"
    ),
    "pixels-ignored": ImportCode(
        "Pixels of value 255 or 65535, which no category has, were left out: by custom they are not labelled",
        "Name that value with `--classes` if it is a category",
        drops=False,
    ),
    "region-ignored": ImportCode(
        "A region is called `DontCare`, by KITTI's custom not labelled: it was left out",
        "Name it with `--classes` if it is a category",
        drops=False,
    ),
    "not-labelled": ImportCode(
        "The image was not labelled yet: nothing was written of it", "Nothing, if that is so", drops=False
    ),
    "reader-stopped": ImportCode(
        "The reader of another program stopped: what it gave before was taken",
        "Mend what it names, or read the file with a format of tamis's own",
    ),
    "reader-warned": ImportCode(
        "The reader of another program had a remark, usually of something that it left out",
        "Look at what it names",
        drops=False,
    ),
    "classes-partial": ImportCode(
        "Not every class has a probability: the likeliest class and its score were taken, the others left out",
        "Write the probabilities of all classes to keep them",
        drops=False,
    ),
    "track-left-out": ImportCode(
        "The line ends in the number of a track, which no prediction has: it was left out",
        "Nothing; if it is no track, say with `--columns` what the numbers of boxes are",
        drops=False,
    ),
    "crowd": ImportCode(
        "The record is a crowd, not one object: it was taken as one prediction",
        "Remove crowds from the file if single objects are wanted",
        drops=False,
    ),
    "file-there-broken": ImportCode(
        "The prediction file that is there has errors and was left as it is", "Mend it, or use `--replace`"
    ),
}
"""Every reason that an import gives of its own; problems of the written predictions have their own codes."""
