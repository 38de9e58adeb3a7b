from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import UsageError
from tamis.selection import config as c
from tamis.selection.config import SelectionConfig, encode_config, parse_config
from tamis.selection.config_faults import TABLE

NAMES = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["no", "1e-3", "2024-01-01", "0x1", "~", "<<", "1:30", "\x85", "a\u2028"]
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
STRENGTHS = st.builds(float, FINITE)
SHARES = st.dictionaries(NAMES, st.floats(0.01, 9), min_size=1, max_size=4)

WEIGHTS = st.builds(c.WeightsConfig, strength=STRENGTHS, stopping_condition_max_sum=st.none() | st.floats(0, 1e9))
THRESHOLDS = st.builds(c.ThresholdConfig, threshold=FINITE, operation=st.sampled_from(c.Operation))
BALANCES = st.builds(
    c.BalanceConfig, strength=STRENGTHS, distribution=st.sampled_from([c.Distribution.UNIFORM, "INPUT"])
).map(lambda value: msgspec.convert(msgspec.to_builtins(value), c.BalanceConfig)) | st.builds(
    c.BalanceConfig, target=SHARES
)
DIVERSITIES = st.builds(
    c.DiversityConfig, strength=STRENGTHS, stopping_condition_minimum_distance=st.none() | st.floats(0, 2)
)
TYPICALITIES = st.builds(c.TypicalityConfig, num_nearest_neighbors=st.integers(1, 50))
PAIRS = st.one_of(
    st.builds(
        c.StrategyConfig,
        input=st.builds(c.EmbeddingsInput, task=st.none() | NAMES),
        strategy=DIVERSITIES | TYPICALITIES,
    ),
    st.builds(
        c.StrategyConfig,
        input=st.builds(c.EmbeddingsInput, tag_name=NAMES),
        strategy=st.builds(c.SimilarityConfig, strength=STRENGTHS),
    ),
    st.builds(
        c.StrategyConfig,
        input=st.builds(c.ScoresInput, task=NAMES, score=NAMES) | st.builds(c.RandomInput),
        strategy=WEIGHTS | THRESHOLDS,
    ),
    st.builds(
        c.StrategyConfig,
        input=st.builds(c.MetadataInput, key=NAMES),
        strategy=WEIGHTS | THRESHOLDS | BALANCES,
    ),
    st.builds(
        c.StrategyConfig,
        input=st.builds(
            c.PredictionsInput,
            task=NAMES,
            name=st.just(c.PredictionsName.CATEGORY_COUNT),
            categories=st.none() | st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple),
        ),
        strategy=WEIGHTS | THRESHOLDS,
    ),
)
CONFIGS = st.builds(
    SelectionConfig,
    n_samples=st.integers(1, 2**62),
    strategies=st.lists(PAIRS, min_size=1, max_size=3).map(tuple),
) | st.builds(
    SelectionConfig,
    proportion_samples=st.floats(0, 1, exclude_min=True),
    min_gap_frames=st.none() | st.integers(1, 2**62),
    strategies=st.lists(PAIRS, min_size=1, max_size=2).map(tuple),
)

S, IN = "`strategies[0].strategy", "`strategies[0].input"
RANDOM_WEIGHTS = {"input": {"type": "RANDOM"}, "strategy": {"type": "WEIGHTS"}}


def _config(**changes: Any) -> dict[str, Any]:
    return {"n_samples": 5, "strategies": [RANDOM_WEIGHTS], **changes}


def _with_pair(source: dict[str, Any], strategy: dict[str, Any]) -> dict[str, Any]:
    return _config(strategies=[{"input": source, "strategy": strategy}])


def _error(tree: object) -> str:
    with pytest.raises(UsageError) as caught:
        parse_config(json.dumps(tree), source="c.json")
    return str(caught.value)


@given(CONFIGS)
def test_yaml_round_trip(config: SelectionConfig) -> None:
    """What is encoded is parsed as the same value, whatever the names look like."""
    assert parse_config(encode_config(config), source="c.yaml") == config


@given(CONFIGS, st.sampled_from([None, 2, "\t"]))
def test_json_is_read_alike(config: SelectionConfig, indent: int | str | None) -> None:
    """JSON gives the same config as YAML, indented by tabs too."""
    text = json.dumps(msgspec.to_builtins(config), indent=indent)
    assert parse_config(text, source="c.json") == config


SOURCES: dict[str, dict[str, Any]] = {
    "EMBEDDINGS": {"type": "EMBEDDINGS"},
    "SCORES": {"type": "SCORES", "task": "t", "score": "s"},
    "METADATA": {"type": "METADATA", "key": "k"},
    "PREDICTIONS CLASS_DISTRIBUTION": {"type": "PREDICTIONS", "task": "t", "name": "CLASS_DISTRIBUTION"},
    "PREDICTIONS CATEGORY_COUNT": {"type": "PREDICTIONS", "task": "t", "name": "CATEGORY_COUNT"},
    "RANDOM": {"type": "RANDOM"},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "DIVERSITY": {"type": "DIVERSITY"},
    "SIMILARITY": {"type": "SIMILARITY"},
    "TYPICALITY": {"type": "TYPICALITY"},
    "WEIGHTS": {"type": "WEIGHTS"},
    "THRESHOLD": {"type": "THRESHOLD", "threshold": 1, "operation": "BIGGER"},
    "BALANCE": {"type": "BALANCE", "target": {"a": 0.5}},
}


@pytest.mark.parametrize("row", list(SOURCES))
@pytest.mark.parametrize("kind", list(OPTIONS))
def test_every_combination(row: str, kind: str) -> None:
    """A combination is accepted exactly when the table has it, and refused with the row."""
    source = {**SOURCES[row], **({"tag_name": "q"} if kind == "SIMILARITY" and row == "EMBEDDINGS" else {})}
    tree = _with_pair(source, OPTIONS[kind])
    if kind in TABLE[row]:
        assert parse_config(json.dumps(tree), source="c.json").strategies[0].input is not None
    else:
        assert _error(tree) == (
            f"c.json: `strategies[0]`: {row} does not serve {kind}; it serves {', '.join(TABLE[row])}"
        )


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            _with_pair({"type": "RANDOM"}, {"type": "WEIGHTS", "strenght": 2}),
            S + ".strenght`: unknown key; did you mean `strength`?",
        ),
        (
            _with_pair({"type": "EMBEDDINGS", "dataset_id": "x"}, {"type": "DIVERSITY"}),
            IN + ".dataset_id`: a key of Lightly's platform that tamis does not serve; remove it",
        ),
        (_config(n_samples=0), "`n_samples`: expected a whole number >= 1, got 0"),
        (_config(min_gap_frames=0), "`min_gap_frames`: expected a whole number >= 1, got 0"),
        (_config(n_samples=2.0), "`n_samples`: expected a whole number >= 1, got 2.0"),
        (_config(n_samples=True), "`n_samples`: expected a whole number >= 1, got true"),
        (
            _config(n_samples=10**30),
            "`n_samples`: expected a whole number >= 1 below 2^63, got 1000000000000000000000000000000",
        ),
        (
            _config(proportion_samples=0.5),
            "expected exactly one of `n_samples` and `proportion_samples`, got both",
        ),
        (
            {"strategies": [RANDOM_WEIGHTS]},
            "expected exactly one of `n_samples` and `proportion_samples`, got neither",
        ),
        (
            {"proportion_samples": 1.5, "strategies": [RANDOM_WEIGHTS]},
            "`proportion_samples`: expected a number in (0, 1], got 1.5",
        ),
        (
            _with_pair({"type": "RANDOM"}, {"type": "WEIGHTS", "strength": float("nan")}),
            S + ".strength`: expected a finite number, got nan",
        ),
        (
            _with_pair({"type": "EMBEDDINGS"}, {"type": "TYPICALITY", "num_nearest_neighbors": 0}),
            S + ".num_nearest_neighbors`: expected a whole number >= 1, got 0",
        ),
        (
            _with_pair({"type": "EMBEDDINGS"}, {"type": "DIVERSITY", "stopping_condition_minimum_distance": -1}),
            S + ".stopping_condition_minimum_distance`: expected a finite number >= 0, got -1",
        ),
        (
            _with_pair({"type": "RANDOM"}, {"type": "weights"}),
            S + ".type`: expected one of " + ", ".join(OPTIONS) + ", got text 'weights'; did you mean WEIGHTS?",
        ),
        (
            _with_pair(SOURCES["METADATA"], {"type": "BALANCE"}),
            S + ".target`: the distribution TARGET needs it, class names with their shares",
        ),
        (
            _with_pair(SOURCES["METADATA"], {"type": "BALANCE", "distribution": "INPUT", "target": {"a": 1}}),
            S + ".target`: the distribution INPUT takes none; remove it, or set TARGET",
        ),
        (
            _with_pair(SOURCES["METADATA"], {"type": "BALANCE", "target": {"a": 0, "b": 0}}),
            S + ".target`: expected a share above 0 for at least one class, got only zeros",
        ),
        (
            _with_pair({"type": "EMBEDDINGS"}, {"type": "SIMILARITY"}),
            IN + ".tag_name`: SIMILARITY needs it, the name of the query set",
        ),
        ([], "expected a mapping with `strategies`, got a list"),
    ],
)
def test_faults(tree: object, message: str) -> None:
    """One fault is one sentence: where, what was expected, what to do."""
    assert _error(tree) == f"c.json: {message}"


def test_all_faults_at_once() -> None:
    """A config with many faults is told them all, not the first."""
    tree = {"strategies": [{"input": {"type": "SCORES"}}, 3], "n_sample": 4}
    assert _error(tree).splitlines() == [
        "c.json: 6 faults",
        "- `n_sample`: unknown key; did you mean `n_samples`?",
        "- expected exactly one of `n_samples` and `proportion_samples`, got neither",
        "- `strategies[0].strategy`: it is missing",
        "- `strategies[0].input.task`: it is missing",
        "- `strategies[0].input.score`: it is missing",
        "- `strategies[1]`: expected a mapping with `input` and `strategy`, got the number 3",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c: expected a mapping with `strategies`, but it is empty"),
        ("- 1", "c: expected a mapping with `strategies`, got a list"),
        (
            "n_samples: 5\nn_samples: 6\nstrategies: [{input: {type: RANDOM}, strategy: {type: WEIGHTS}}]",
            "c: line 2: the key `n_samples` stands twice; keep one",
        ),
        (
            json.dumps(_config()).replace("{", '{"n_samples": 6, ', 1),
            "c: the key `n_samples` stands twice; keep one",
        ),
        (
            "strategies:\n\t- 1",
            (
                "c:2:1: expected YAML or JSON, but found character '\\t' that cannot start any token\n"
                "hint: indent with spaces; YAML forbids tabs there"
            ),
        ),
        ("[" * 5000, "c: expected YAML or JSON of sensible depth, got too many levels"),
        ("n: " + "9" * 5000, "c:1:4: expected YAML or JSON, but expected a number of fewer digits, got 5000"),
        (
            "a: &x [*x]\nn_samples: !!python/object:os.system 1",
            "c:2:12: expected YAML or JSON, but could not",
        ),
        ("a: 1\n---\nb: 2", "c:2:1: expected YAML or JSON, but found another document"),
    ],
)
def test_texts_that_are_no_config(text: str, message: str) -> None:
    """Text that is no config ends in one readable error with its line and column."""
    with pytest.raises(UsageError) as caught:
        parse_config(text, source="c")
    assert str(caught.value).startswith(message)


def test_anchors_are_followed() -> None:
    """An anchored strategy counts where it is repeated."""
    text = "n_samples: 1\nstrategies:\n- &a {input: {type: RANDOM}, strategy: {type: WEIGHTS}}\n- *a\n"
    config = parse_config(text, source="c")
    assert config.strategies[0] == config.strategies[1]


@given(st.text(max_size=40) | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(yaml.safe_dump))
def test_any_text_is_a_config_or_a_usage_error(text: str) -> None:
    """Nothing but a UsageError comes out of text that is no config."""
    with pytest.raises(UsageError):
        parse_config(text, source="c")


@given(st.integers(1, 999), st.integers(1, 10**6))
def test_proportion_is_the_written_decimal(thousandths: int, n: int) -> None:
    """The budget of a proportion written with three decimals is the integer quotient."""
    config = parse_config(
        json.dumps({"proportion_samples": thousandths / 1000, "strategies": [RANDOM_WEIGHTS]}), source="c"
    )
    assert config.budget(n) == thousandths * n // 1000
