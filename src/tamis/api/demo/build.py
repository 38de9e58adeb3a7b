"""The demo datasource: pictures, three tasks, metadata, the truth, and some broken files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from tamis.api.demo.detector import detect_things
from tamis.api.demo.faults import ORPHAN, break_files
from tamis.api.demo.painter import STUFF, paint
from tamis.api.demo.stuff import WEATHERS, classify_weather, segment_background
from tamis.api.demo.truth import TrueSample, tell_truth
from tamis.api.demo.world import HEIGHT_PX, OBJECTS, WIDTH_PX, Scene, draw_scenes
from tamis.api.writer import PredictionWriter
from tamis.errors import UsageError
from tamis.formats import (
    METADATA_SCHEMA_KEY,
    TASKS_KEY,
    MetadataField,
    MetadataType,
    encode_metadata,
    encode_metadata_schema,
    metadata_key,
    prediction_key,
    schema_key,
)
from tamis.model import SampleKind, TaskType
from tamis.storage import LocalStore, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

TRUTH_KEY = "truth.json"
DETECTION, WEATHER, BACKGROUND = "street-objects", "weather", "background"

_MADE_BY = "tamis demo"
_SIZE = (WIDTH_PX, HEIGHT_PX)
_FIELDS = (
    MetadataField("Camera", "camera.id", "unknown", MetadataType.CATEGORICAL_STRING),
    MetadataField("Temperature", "weather.temperature_celsius", None, MetadataType.NUMERIC_FLOAT),
    MetadataField("Hour", "time.hour", None, MetadataType.NUMERIC_INT),
    MetadataField("Time of day", "time.of_day", "day", MetadataType.CATEGORICAL_STRING),
    MetadataField("Crowded", "crowded", default=False, type=MetadataType.CATEGORICAL_BOOLEAN),
)


class Truth(msgspec.Struct, frozen=True):
    """What `truth.json` holds.

    Attributes:
        made_by: tells a demo from other folders.
        files: all that the demo wrote: what a new demo in the same folder removes.
        samples: the truth about each picture, by its key.
        broken: what is wrong with which prediction file.
    """

    made_by: str
    files: list[str]
    samples: dict[str, TrueSample] = {}
    broken: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo datasource as it was built.

    Attributes:
        folder: where it is.
        sample_keys: its pictures.
        tasks: names of its tasks.
        broken: what is wrong with which prediction file.
    """

    folder: Path
    sample_keys: tuple[str, ...]
    tasks: tuple[str, ...]
    broken: dict[str, str]


def build_demo(folder: str | Path, *, n_images: int = 120, seed: int = 0) -> Demo:
    """Build a datasource to try tamis on: street scenes, and three simulated models that err on them.

    The same arguments give the same bytes. What the pictures really show, and what the detector got wrong,
    is kept aside in `truth.json`.

    Args:
        folder: where to build it; made if it is not there. An earlier demo in it is replaced.
        n_images: number of pictures, >= 1.
        seed: of everything random, >= 0.

    Raises:
        UsageError: when the folder holds anything else than a demo, or a number is out of range.
        StoreError: when it cannot be written.
    """
    if n_images < 1 or seed < 0:
        raise UsageError(f"expected n_images >= 1 and seed >= 0, got {n_images} and {seed}")
    root = Path(folder).expanduser()
    _make_room(root)
    store = LocalStore.open(root)
    scenes = {_sample_key(scene, i): scene for i, scene in enumerate(draw_scenes(n_images, seed))}
    files = sorted(_files_of(scenes))
    # First, so that a demo that was interrupted is known as one.
    store.write(TRUTH_KEY, _encode_truth(Truth(_MADE_BY, files)))
    samples = _write_samples(store, scenes, seed)
    _write_metadata(store, scenes)
    broken = break_files(store, DETECTION, [key for key, scene in scenes.items() if scene.things])
    store.write(TRUTH_KEY, _encode_truth(Truth(_MADE_BY, files, samples, broken)))
    return Demo(root, tuple(scenes), (DETECTION, WEATHER, BACKGROUND), broken)


def read_truth(folder: str | Path) -> Truth:
    """Read the truth of a demo.

    Raises:
        DatasourceError: when the folder is no demo.
    """
    return msgspec.json.decode(LocalStore.open(folder).read(TRUTH_KEY).data, type=Truth)


def _make_room(root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    store = LocalStore.open(root)
    if not any(root.iterdir()):
        return
    refusal = UsageError(
        f"Folder `{root}` is not empty and not a demo: nothing was written",
        hint="name a folder that is empty or not there yet",
    )
    try:
        truth = msgspec.json.decode(store.read(TRUTH_KEY).data, type=Truth)
    except (NotFoundError, msgspec.DecodeError):
        raise refusal from None
    if truth.made_by != _MADE_BY:
        raise refusal
    for key in truth.files:
        store.delete(key)


def _write_samples(store: LocalStore, scenes: dict[str, Scene], seed: int) -> dict[str, TrueSample]:
    samples = {}
    with (
        PredictionWriter(store, task=DETECTION, task_type=TaskType.OBJECT_DETECTION, categories=OBJECTS) as objects,
        PredictionWriter(store, task=WEATHER, task_type=TaskType.CLASSIFICATION, categories=WEATHERS) as weather,
        PredictionWriter(
            store, task=BACKGROUND, task_type=TaskType.SEMANTIC_SEGMENTATION, categories=STUFF
        ) as stuff,
    ):
        for i, (key, scene) in enumerate(scenes.items()):
            # One generator for each purpose: a change of one model leaves the others' predictions alone.
            rngs = [np.random.default_rng([seed, i, purpose]) for purpose in range(1, 5)]
            painting = paint(scene, rngs[0])
            store.write(key, painting.jpeg)
            found = detect_things(scene, painting, rngs[1])
            objects.write(key, found, image_size=_SIZE)
            weather.write(key, [classify_weather(painting, rngs[2])])
            stuff.write(key, segment_background(scene, painting, rngs[3]), image_size=_SIZE)
            samples[key] = tell_truth(scene, painting.visible, found)
    return samples


def _write_metadata(store: LocalStore, scenes: dict[str, Scene]) -> None:
    store.write(METADATA_SCHEMA_KEY, encode_metadata_schema(_FIELDS))
    for key, scene in scenes.items():
        time_of_day = "night" if scene.is_night else "day"
        values = (scene.camera.name, scene.temperature_c, scene.hour, time_of_day, scene.is_crowded)
        data = encode_metadata(values, _FIELDS, file_name=key, kind=SampleKind.IMAGE)
        store.write(metadata_key(key), data)


def _sample_key(scene: Scene, i: int) -> str:
    return f"{scene.camera.name}/{scene.camera.prefix}{i:04}.jpg"


def _files_of(sample_keys: Iterable[str]) -> Iterable[str]:
    """Yield all that a demo writes, `truth.json` excepted."""
    yield from (TASKS_KEY, METADATA_SCHEMA_KEY, prediction_key(DETECTION, ORPHAN))
    yield from (schema_key(task) for task in (DETECTION, WEATHER, BACKGROUND))
    for key in sample_keys:
        yield from (key, metadata_key(key))
        yield from (prediction_key(task, key) for task in (DETECTION, WEATHER, BACKGROUND))


def _encode_truth(truth: Truth) -> bytes:
    return msgspec.json.format(msgspec.json.encode(truth), indent=1)
