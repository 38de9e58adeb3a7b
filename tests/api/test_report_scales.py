from __future__ import annotations

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tamis.api.report.scales import nice_step, nice_ticks, number_text, tick_text
from tamis.api.report.text import shown

_numbers = st.floats(-1e15, 1e15)


@given(st.floats(1e-15, 1e15))
def test_steps_are_round_and_just_large_enough(at_least: float) -> None:
    """A step is 1, 2 or 5 times a power of ten, and less than two and a half times what was asked for."""
    step = nice_step(at_least)
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6
    assert at_least * (1 - 1e-6) <= step <= at_least * 2.5 * (1 + 1e-6)


@given(_numbers, _numbers, st.integers(2, 10))
def test_ticks_are_within_the_axis_and_evenly_spaced(a: float, b: float, at_most: int) -> None:
    """Ticks ascend evenly within the axis, at least one and not more than asked for."""
    low, high = min(a, b), max(a, b)
    ticks = nice_ticks(low, high, at_most=at_most)
    slack = 1e-6 * max(abs(low), abs(high), high - low)
    assert ticks == sorted(ticks)
    assert len(ticks) <= at_most
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = [y - x for x, y in pairwise(ticks)]
    assert max(steps, default=0) - min(steps, default=0) <= slack


@given(st.floats(-0.5, 1e6), st.floats(0, 1e6), st.integers(4, 8))
def test_ticks_of_counts_are_whole(low: float, span: float, at_most: int) -> None:
    """Where only whole numbers make sense, no tick is anything else."""
    if span > 1e-6:
        assert all(tick % 1 == 0 for tick in nice_ticks(low, low + span, at_most=at_most, whole=True))


@given(st.floats(0.001, 1e6), st.integers(4, 8))
def test_axes_from_zero_have_several_ticks(high: float, at_most: int) -> None:
    """An axis from zero shows zero and at least one more number."""
    ticks = nice_ticks(0.0, high, at_most=at_most)
    assert ticks[0] == 0.0
    assert len(ticks) >= 2


@given(_numbers, _numbers)
def test_ticks_of_an_axis_read_differently(a: float, b: float) -> None:
    """No two ticks of an axis have the same text, as long as six digits tell them apart."""
    low, high = min(a, b), max(a, b)
    if high - low < max(abs(low), abs(high)) * 1e-3 or high - low < 1e-3:
        return
    ticks = nice_ticks(low, high)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    assert len({tick_text(tick, step) for tick in ticks}) == len(ticks)


@given(st.floats(-1e300, 1e300))
def test_numbers_read_back_to_three_digits(value: float) -> None:
    """The text of a number is within half a percent of it."""
    assert math.isclose(float(number_text(value).replace(",", "")), value, rel_tol=0.005)


@given(st.text())
def test_shown_text_has_nothing_invisible_and_can_be_written(text: str) -> None:
    """Names are shown one character for one, without controls, overrides or halves of characters."""
    result = shown(text)
    assert len(result) == len(text)
    result.encode()
    assert not any(ord(c) < 0x20 or 0x202A <= ord(c) <= 0x202E or 0x2066 <= ord(c) <= 0x2069 for c in result)


def test_other_scripts_and_emoji_stay() -> None:
    """What people write as names is left alone."""
    assert shown("חתול 🐈‍⬛ Straße 猫") == "חתול 🐈‍⬛ Straße 猫"
