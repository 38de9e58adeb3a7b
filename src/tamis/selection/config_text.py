"""YAML or JSON text to a tree of plain values, without the surprises of YAML 1.1."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from tamis.errors import UsageError

_INT = re.compile(r"^[-+]?[0-9]+$")
_FLOAT = re.compile(
    r"^[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
)
_BOOL = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")
_NULL = re.compile(r"^(~|null|Null|NULL|)$")
_MERGE = re.compile(r"^<<$")
_CORE = (
    ("tag:yaml.org,2002:int", _INT, "-+0123456789"),
    ("tag:yaml.org,2002:float", _FLOAT, "-+.0123456789"),
    ("tag:yaml.org,2002:bool", _BOOL, "tTfF"),
    ("tag:yaml.org,2002:null", _NULL, ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:merge", _MERGE, "<"),
)


class _Loader(yaml.SafeLoader):
    """A safe loader of YAML 1.2's scalars: a class `no` and dates stay text, `1e-3` is a number."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012 - PyYAML's own attribute, filled below

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.repeated: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                mark = key.start_mark
                self.repeated.append(f"line {mark.line + 1}: the key `{key.value}` stands twice; keep one")
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else None)
        return super().construct_mapping(node, deep)

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        try:
            return int(node.value, 10)
        except ValueError:  # Python refuses thousands of digits
            raise yaml.constructor.ConstructorError(
                None, None, f"expected a number of fewer digits, got {len(node.value)}", node.start_mark
            ) from None


class ConfigDumper(yaml.SafeDumper):
    """A safe dumper that quotes whatever `read_tree` would not read as text."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # PyYAML folds rarer line breaks such as U+0085 into spaces, except where they are escaped.
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


ConfigDumper.add_representer(str, _represent_text)
for _tag, _pattern, _first in _CORE:
    _Loader.add_implicit_resolver(_tag, _pattern, list(_first))
    ConfigDumper.add_implicit_resolver(_tag, _pattern, list(_first))
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def read_tree(text: str, *, source: str) -> tuple[Any, tuple[str, ...]]:
    """Return the tree that YAML or JSON text stands for, and a fault for every key that stands twice.

    Args:
        text: YAML, or JSON (which may be indented by tabs, as YAML may not).
        source: what the text is called in errors.

    Raises:
        UsageError: when the text is neither, with the line and column.

    >>> read_tree("target: {no: 1e-1, 2024-01-01: .5}", source="example")
    ({'target': {'no': 0.1, '2024-01-01': 0.5}}, ())
    """
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        try:
            return _read_json(text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            pass  # a flow mapping of YAML may begin like this: let its reader say what is wrong
    return _read_yaml(text, source)


def _read_json(text: str) -> tuple[Any, tuple[str, ...]]:
    repeated: list[str] = []

    def as_dict(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        keys = [key for key, _ in pairs]
        repeated.extend(f"the key `{key}` stands twice; keep one" for key in made if keys.count(key) > 1)
        return made

    return json.loads(text, object_pairs_hook=as_dict), tuple(repeated)


def _read_yaml(text: str, source: str) -> tuple[Any, tuple[str, ...]]:
    try:
        loader = _Loader(text)
        tree = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        tab = "\t" in text and "'\\t'" in str(error.problem)
        hint = "indent with spaces; YAML forbids tabs there" if tab else None
        said = (error.problem or error.context or "it is neither").removeprefix("but ")
        raise UsageError(f"{source}{place}: expected YAML or JSON, but {said}", hint=hint) from None
    except (yaml.YAMLError, TypeError) as error:  # TypeError: a mapping as the key of a mapping
        raise UsageError(f"{source}: expected YAML or JSON, but {error}") from None
    except RecursionError:
        raise UsageError(f"{source}: expected YAML or JSON of sensible depth, got too many levels") from None
    return tree, tuple(loader.repeated)
