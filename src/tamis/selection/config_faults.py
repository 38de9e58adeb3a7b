"""Every fault of a config at once, each with its place and what to do."""

from __future__ import annotations

import reprlib
import sys
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Rule = Callable[[Any], str | None]

_NOT_SERVED = ("dataset_id", "lightly_path_regex", "auto_tasks", "target_range")
_MAX_INT = 2**63 - 1
_MAX_FLOAT = sys.float_info.max
_CAPPED = ("image", "category", "video")
_FURTHEST = 2.0  # of vectors of length 1
_SHOWN = reprlib.Repr()
_SHOWN.maxstring = 60

TABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "EMBEDDINGS": ("DIVERSITY", "SIMILARITY", "TYPICALITY"),
        "SCORES": ("WEIGHTS", "THRESHOLD"),
        "METADATA": ("WEIGHTS", "THRESHOLD", "BALANCE"),
        "PREDICTIONS CLASS_DISTRIBUTION": ("BALANCE",),
        "PREDICTIONS CATEGORY_COUNT": ("WEIGHTS", "THRESHOLD"),
        "RANDOM": ("WEIGHTS", "THRESHOLD"),
        "FILE": ("WEIGHTS", "THRESHOLD"),
    }
)
"""Which strategies each input serves."""


def find_faults(tree: object) -> tuple[str, ...]:
    """Return what is wrong with a config, one sentence a fault, none when it is right.

    Args:
        tree: the config as plain dicts, lists and scalars.

    >>> find_faults({"n_samples": 5, "strategies": []})
    ('`strategies`: expected a list of at least one, got []',)
    """
    if tree is None:
        return ("expected a mapping with `strategies`, but it is empty",)
    if not isinstance(tree, dict):
        return (f"expected a mapping with `strategies`, got {_kind(tree)}",)
    return tuple(_top_faults(tree))


def _top_faults(tree: dict[Any, Any]) -> Iterator[str]:
    rules: dict[str, Rule] = {
        "n_samples": _whole(1),
        "proportion_samples": _number("a number in (0, 1]", lambda value: 0 < value <= 1),
        "strategies": _list_of_some,
        "min_gap_frames": _whole(1),
        "select": _mapping,
    }
    yield from _key_faults(tree, "", rules, required=("strategies",))
    if isinstance(select := tree.get("select"), dict):
        yield from _select_faults(select)
    budgets = [key for key in ("n_samples", "proportion_samples") if key in tree]
    if len(budgets) != 1:
        got = "both" if budgets else "neither"
        yield f"expected exactly one of `n_samples` and `proportion_samples`, got {got}"
    strategies = tree.get("strategies")
    if isinstance(strategies, list):
        for position, strategy in enumerate(strategies):
            yield from _pair_faults(strategy, f"strategies[{position}]")


def _select_faults(select: dict[Any, Any]) -> Iterator[str]:
    rules: dict[str, Rule] = {
        "level": _one_of("images", "objects"),
        "task": _text,
        "at_most": _caps,
        "without_duplicates": _duplicates,
    }
    yield from _key_faults(select, "select", rules, required=())
    is_objects = select.get("level") == "objects"
    if is_objects and "task" not in select:
        yield "`select.task`: the level `objects` needs it, the task whose objects are picked"
    if not is_objects and "task" in select:
        yield "`select.task`: only the level `objects` takes it; remove it, or set `level: objects`"
    caps = select.get("at_most")
    if not is_objects and isinstance(caps, dict):
        for name in ("image", "category"):
            if name in caps:
                yield f"`select.at_most.{name}`: only objects have such a limit; remove it, or set `level: objects`"


def _pair_faults(pair: object, path: str) -> Iterator[str]:
    if not isinstance(pair, dict):
        yield f"`{path}`: expected a mapping with `input` and `strategy`, got {_kind(pair)}"
        return
    yield from _key_faults(pair, path, {"input": _mapping, "strategy": _mapping}, required=("input", "strategy"))
    source, strategy = pair.get("input"), pair.get("strategy")
    if isinstance(source, dict):
        yield from _typed_faults(source, f"{path}.input", _INPUTS)
    if isinstance(strategy, dict):
        yield from _typed_faults(strategy, f"{path}.strategy", _STRATEGIES)
    if isinstance(source, dict) and isinstance(strategy, dict):
        yield from _combination_faults(source, strategy, path)


def _typed_faults(part: dict[Any, Any], path: str, types: Mapping[str, _Keys]) -> Iterator[str]:
    kind = part.get("type")
    if not isinstance(kind, str) or kind not in types:
        fault = _one_of(*types)(kind) if "type" in part else f"expected one of {_listed(types)}, but it is missing"
        yield f"`{path}.type`: {fault}"
        return
    required, rules = types[kind]
    yield from _key_faults(part, path, {"type": _one_of(*types), **rules}, required=required)


def _combination_faults(source: dict[Any, Any], strategy: dict[Any, Any], path: str) -> Iterator[str]:
    row, kind = _row(source), strategy.get("type")
    if row not in TABLE or kind not in _STRATEGIES:
        return
    if kind not in TABLE[row]:
        yield f"`{path}`: {row} does not serve {kind}; it serves {', '.join(TABLE[row])}"
    elif kind == "BALANCE":
        yield from _balance_faults(strategy, f"{path}.strategy")
    if row == "EMBEDDINGS":
        yield from _query_faults(source, kind, f"{path}.input")
    if row == "PREDICTIONS CLASS_DISTRIBUTION" and "categories" in source:
        yield f"`{path}.input.categories`: only CATEGORY_COUNT takes it; name the classes in `target` instead"


def _row(source: dict[Any, Any]) -> str:
    kind = source.get("type")
    return f"{kind} {source.get('name')}" if kind == "PREDICTIONS" else str(kind)


def _balance_faults(strategy: dict[Any, Any], path: str) -> Iterator[str]:
    distribution = strategy.get("distribution", "TARGET")
    if distribution == "TARGET" and "target" not in strategy:
        yield f"`{path}.target`: the distribution TARGET needs it, class names with their shares"
    if distribution in ("UNIFORM", "INPUT") and "target" in strategy:
        yield f"`{path}.target`: the distribution {distribution} takes none; remove it, or set TARGET"


def _query_faults(source: dict[Any, Any], strategy: str, path: str) -> Iterator[str]:
    if strategy == "SIMILARITY" and "tag_name" not in source:
        yield f"`{path}.tag_name`: SIMILARITY needs it, the name of the query set"
    if strategy != "SIMILARITY" and "tag_name" in source:
        yield f"`{path}.tag_name`: only SIMILARITY takes it; remove it"


def _key_faults(
    part: dict[Any, Any], path: str, rules: Mapping[str, Rule], *, required: tuple[str, ...]
) -> Iterator[str]:
    prefix = f"{path}." if path else ""
    for key, value in part.items():
        if key not in rules:
            yield f"`{prefix}{key}`: {_unknown(key, rules)}"
        elif (fault := rules[key](value)) is not None:
            yield f"`{prefix}{key}`: {fault}"
    for key in required:
        if key not in part:
            yield f"`{prefix}{key}`: it is missing"


def _unknown(key: object, rules: Mapping[str, Rule]) -> str:
    if key in _NOT_SERVED:
        return "a key of Lightly's platform that tamis does not serve; remove it"
    close = get_close_matches(str(key), rules, n=1)
    advice = f"did you mean `{close[0]}`?" if close else f"the keys here are {_listed(rules)}"
    return f"unknown key; {advice}"


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names)


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    names = {dict: "a mapping", list: "a list", str: "text", type(None): "nothing"}
    shown = "" if isinstance(value, dict | list) or value is None else f" {_SHOWN.repr(value)}"
    return f"{names.get(type(value), 'the number' if isinstance(value, int | float) else 'the value')}{shown}"


def _shown(value: object) -> str:
    return _kind(value) if value is None or isinstance(value, str | dict | list | bool) else _SHOWN.repr(value)


def _number(expected: str, holds: Callable[[float], bool]) -> Rule:
    def rule(value: object) -> str | None:
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and abs(value) <= _MAX_FLOAT
            and holds(value)
        ):
            return None
        return f"expected {expected}, got {_shown(value)}"

    return rule


def _whole(least: int) -> Rule:
    def rule(value: object) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= _MAX_INT:
            return None
        limit = f" >= {least}" if least >= 0 else ""
        limit += " below 2^63" if isinstance(value, int) and abs(value) > _MAX_INT else ""
        return f"expected a whole number{limit}, got {_shown(value)}"

    return rule


def _one_of(*names: str) -> Rule:
    def rule(value: object) -> str | None:
        if isinstance(value, str) and value in names:
            return None
        close = get_close_matches(str(value).upper(), names, n=1)
        advice = f"; did you mean {close[0]}?" if close else ""
        return f"expected one of {', '.join(names)}, got {_kind(value)}{advice}"

    return rule


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value else f"expected a name, got {_kind(value)}"


def _mapping(value: object) -> str | None:
    return None if isinstance(value, dict) else f"expected a mapping, got {_kind(value)}"


def _list_of_some(value: object) -> str | None:
    if not isinstance(value, list):
        return f"expected a list of at least one, got {_kind(value)}"
    return None if value else "expected a list of at least one, got []"


def _names(value: object) -> str | None:
    if not isinstance(value, list) or not value:
        return f"expected a list of at least one category name, got {_SHOWN.repr(value)}"
    if wrong := [name for name in value if not isinstance(name, str) or not name]:
        return f"expected category names, got {_kind(wrong[0])}"
    if len(set(value)) < len(value):
        return f"expected each category once, got {_SHOWN.repr(value)}"
    return None


def _shares(value: object) -> str | None:
    if not isinstance(value, dict) or not value:
        return f"expected class names with their shares, got {_kind(value) if value else 'nothing'}"
    share = _number("a share >= 0", lambda number: number >= 0)
    for name, number in value.items():
        if not isinstance(name, str | int):
            return f"expected class names, got {_kind(name)}"
        if (fault := share(number)) is not None:
            return f"at `{name}`: {fault}"
    if not any(value.values()):
        return "expected a share above 0 for at least one class, got only zeros"
    texts = {str(name).lower() if isinstance(name, bool) else str(name) for name in value}
    return None if len(texts) == len(value) else "expected each class once, got one both as number and as text"


def _caps(value: object) -> str | None:
    if not isinstance(value, dict) or not value:
        return f"expected limits by `image`, `category` or `video`, got {_kind(value) if value else 'nothing'}"
    for name, number in value.items():
        if name not in _CAPPED:
            return f"expected limits by `image`, `category` or `video`, got one by {_kind(name)}"
        if (fault := _whole(1)(number)) is not None:
            return f"at `{name}`: {fault}"
    return None


def _duplicates(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    return _number("true, or a distance from 0 to below 2", lambda number: 0 <= number < _FURTHEST)(value)


_Keys = tuple[tuple[str, ...], "dict[str, Rule]"]
_finite = _number("a finite number", lambda _: True)
_at_least_0 = _number("a finite number >= 0", lambda value: value >= 0)
_STRENGTH: dict[str, Rule] = {"strength": _finite}

_INPUTS: dict[str, _Keys] = {
    "EMBEDDINGS": ((), {"task": _text, "tag_name": _text}),
    "SCORES": (("task", "score"), {"task": _text, "score": _text}),
    "METADATA": (("key",), {"key": _text}),
    "PREDICTIONS": (
        ("task", "name"),
        {"task": _text, "name": _one_of("CLASS_DISTRIBUTION", "CATEGORY_COUNT"), "categories": _names},
    ),
    "RANDOM": ((), {"random_seed": _whole(-_MAX_INT)}),
    "FILE": (("path", "column"), {"path": _text, "column": _text}),
}

_STRATEGIES: dict[str, _Keys] = {
    "DIVERSITY": ((), {**_STRENGTH, "stopping_condition_minimum_distance": _at_least_0}),
    "SIMILARITY": ((), _STRENGTH),
    "TYPICALITY": (
        (),
        {**_STRENGTH, "num_nearest_neighbors": _whole(1), "stopping_condition_minimum_typicality": _finite},
    ),
    "WEIGHTS": ((), {**_STRENGTH, "stopping_condition_max_sum": _at_least_0}),
    "THRESHOLD": (
        ("threshold", "operation"),
        {
            **_STRENGTH,
            "threshold": _finite,
            "operation": _one_of("SMALLER", "SMALLER_EQUAL", "BIGGER", "BIGGER_EQUAL"),
        },
    ),
    "BALANCE": (
        (),
        {**_STRENGTH, "distribution": _one_of("TARGET", "UNIFORM", "INPUT"), "target": _shares},
    ),
}
