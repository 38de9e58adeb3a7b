"""Predictions as pre-annotations of labelling tools: Label Studio and CVAT."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tamis.api.converting.export_files import located
from tamis.api.converting.exporting import ExportReport, Losses, output_file, write_list
from tamis.formats import encode_cvat_head, encode_cvat_image, encode_label_studio
from tamis.model import TaskType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.api.converting.exporting import Chosen, ExportOptions, ExportSample

_NO_SIZE = "samples whose image size is not known"


def export_label_studio(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write a list of Label Studio tasks with predictions, to be imported into a project.

    Raises:
        UsageError: when what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    work = _Export(chosen, options)

    def tasks() -> Iterator[bytes]:
        for sample in work.samples():
            image = located(sample.key, options.base)
            size = (sample.width, sample.height)
            made, lost = encode_label_studio(chosen.task, image, sample.predictions, size)
            work.lose(lost, sample)
            yield msgspec.json.encode(made)

    with output_file(options) as file:
        write_list(file, tasks())
    return work.report()


def export_cvat(chosen: Chosen, options: ExportOptions) -> ExportReport:
    """Write annotations of the form "CVAT for images 1.1", to be uploaded to a task that has the images.

    Raises:
        UsageError: when what is there may not be replaced.
        DatasourceError: when the file cannot be written.
    """
    work = _Export(chosen, options)
    n_chosen = len(chosen.samples) if chosen.at is None else len(chosen.at)
    with output_file(options) as file:
        file.write(encode_cvat_head(chosen.task, n_chosen - len(chosen.without_file())))
        for number, sample in enumerate(work.samples()):
            size = (sample.width, sample.height)
            image, lost = encode_cvat_image(chosen.task, number, sample.key, sample.predictions, size)
            work.lose(lost, sample)
            file.write(b"\n" + image)
        file.write(b"\n</annotations>\n")
    return work.report()


class _Export:
    """Counts what is written and what is not."""

    def __init__(self, chosen: Chosen, options: ExportOptions) -> None:
        self._chosen = chosen
        self._options = options
        self._losses = Losses()
        self._n_samples = 0
        self._n_predictions = 0

    def samples(self) -> Iterator[ExportSample]:
        """Yield the samples that can be written: places are shares of an image of known size."""
        needs_size = self._chosen.task.task_type is not TaskType.CLASSIFICATION
        for sample in self._chosen:
            if needs_size and not sample.width:
                self._losses.add(_NO_SIZE, sample.key)
                continue
            self._n_samples += 1
            self._n_predictions += len(sample.predictions)
            yield sample

    def lose(self, what: list[str], sample: ExportSample) -> None:
        """Count what the format cannot hold of a sample."""
        for one in what:
            self._losses.add(one, sample.key)

    def report(self) -> ExportReport:
        """Say what was written."""
        for key in self._chosen.without_file():
            self._losses.add("samples without a valid prediction file", key)
        return ExportReport(
            out=None if self._options.out is None else str(self._options.out),
            samples=self._n_samples,
            predictions=self._n_predictions,
            not_held=self._losses.all(),
        )
