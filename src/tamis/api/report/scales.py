"""Round steps, ticks and number texts for charts."""

from __future__ import annotations

import math

_ROUND = (1.0, 2.0, 5.0, 10.0)


def nice_step(at_least: float) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that is at least `at_least` (> 0, finite).

    >>> nice_step(0.13), nice_step(2.0), nice_step(51)
    (0.2, 2.0, 100.0)
    """
    exponent = math.floor(math.log10(at_least))
    for factor in _ROUND:
        step = factor * 10.0**exponent if exponent >= 0 else factor / 10.0**-exponent
        if step >= at_least * (1 - 1e-9):
            return step
    raise AssertionError(at_least)  # ten times the power of ten below it is larger


def nice_ticks(low: float, high: float, *, at_most: int = 6, whole: bool = False) -> list[float]:
    """Return round, evenly spaced numbers within [low, high]: at most `at_most` (>= 2) of them.

    Args:
        low: start of the axis.
        high: end of the axis, >= `low`.
        at_most: how many there may be.
        whole: whether only whole numbers make sense, as for counts.

    >>> nice_ticks(0, 1)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    >>> nice_ticks(-0.5, 20.5)
    [0.0, 5.0, 10.0, 15.0, 20.0]
    >>> nice_ticks(0, 2), nice_ticks(0, 2, whole=True)
    ([0.0, 0.5, 1.0, 1.5, 2.0], [0.0, 1.0, 2.0])
    >>> nice_ticks(3, 3)
    [3.0]
    """
    span = high - low
    if span <= max(abs(high) * 1e-12, 1e-290):
        return [float(low)]
    step = nice_step(span / (at_most - 1))
    if whole:
        step = max(step, 1.0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    decimals = max(0, 1 - math.floor(math.log10(step)))
    return [round(i * step, decimals) + 0.0 for i in range(first, last + 1)]


def number_text(value: float | None) -> str:
    """Write a number for people: three significant digits, thousands apart, a dash for `None`.

    >>> [number_text(v) for v in (0.12345, 0.5, 12.0, 1234567, 2e-9, 0, None)]
    ['0.123', '0.5', '12', '1,234,567', '2e-09', '0', '-']
    """
    if value is None:
        return "-"
    if float(value).is_integer() and abs(value) < 1e15:  # noqa: PLR2004 (beyond it digits are not exact)
        return f"{int(value):,}"
    if abs(value) >= 1000:  # noqa: PLR2004 (four digits before the point need none after it)
        return f"{value:,.0f}" if abs(value) < 1e15 else f"{value:.3g}"  # noqa: PLR2004 (as above)
    return f"{value:.3g}"


def tick_text(value: float, step: float) -> str:
    """Write a tick with as many decimals as the step between ticks needs.

    >>> tick_text(0.5, 0.25), tick_text(1500, 500), tick_text(1e6, 5e5)
    ('0.50', '1,500', '1M')
    """
    for size, suffix in ((1e9, "G"), (1e6, "M")):
        if abs(value) >= size and step >= size / 10:
            return f"{value / size:.3g}{suffix}"
    decimals = _decimals(step)
    return f"{value:.2g}" if decimals > 4 else f"{value:,.{decimals}f}"  # noqa: PLR2004 (too wide for an axis)


def percent_text(share: float) -> str:
    """Write a share as a percentage.

    >>> [percent_text(s) for s in (0, 0.0004, 0.034, 0.5, 1)]
    ['0 %', '< 0.1 %', '3.4 %', '50 %', '100 %']
    """
    if 0 < share < 0.001:  # noqa: PLR2004 (the smallest share that one decimal can show)
        return "< 0.1 %"
    percent = share * 100
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"  # noqa: PLR2004 (two digits)


def _decimals(step: float) -> int:
    for decimals in range(6):
        if abs(step * 10**decimals - round(step * 10**decimals)) < 1e-6:  # noqa: PLR2004 (float noise)
            return decimals
    return 6
