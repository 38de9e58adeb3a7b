from __future__ import annotations

import re

import pytest

from tamis.model import (
    CODES,
    Drops,
    Problem,
    ProblemCode,
    Severity,
    problem_codes,
    problem_codes_dataset,
    problem_codes_metadata,
)


def all_tables() -> list[ProblemCode]:
    modules = (problem_codes, problem_codes_dataset, problem_codes_metadata)
    tables = [value for module in modules for name, value in vars(module).items() if name.endswith("_CODES")]
    return [code for table in tables for code in table]


def test_no_code_is_defined_twice_or_left_out() -> None:
    """The registry holds every code of every table under its own name."""
    assert sorted(CODES) == sorted(code.code for code in all_tables())
    assert all(CODES[name].code == name for name in CODES)


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_every_code_teaches(code: ProblemCode) -> None:
    """Names are kebab-case; summary, hint and example are there, without a final period."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code.code)
    for text in (code.summary, code.hint, code.example):
        assert text == text.strip()
        assert len(text) > 1
        assert not text.endswith(".") or text.endswith("...")
    assert "\n" not in code.summary


@pytest.mark.parametrize("code", CODES.values(), ids=lambda code: code.code)
def test_only_errors_drop_something(code: ProblemCode) -> None:
    """Warnings and infos never cost data."""
    assert code.severity is Severity.ERROR or code.drops in {Drops.NOTHING, Drops.VALUE}


def test_a_problem_speaks_with_its_codes_advice_unless_it_has_its_own() -> None:
    """The code's hint is the default, the place's own wins."""
    plain = Problem(code="json-bom", message="m")
    assert plain.severity is Severity.ERROR
    assert plain.advice == CODES["json-bom"].hint
    assert Problem(code="json-bom", message="m", hint="other").advice == "other"
