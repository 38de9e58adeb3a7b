"""Names from the data made safe to read: nothing invisible, nothing that turns its surroundings around."""

from __future__ import annotations

import re

from markupsafe import Markup

_CONTROL_PICTURES = {code: 0x2400 + code for code in range(0x20)} | {0x7F: 0x2421}
# Overrides and isolates would reorder the text around a name; they are shown as a replacement character.
_DIRECTION = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD)
_LONE_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), 0xFFFD)
_TABLE = _CONTROL_PICTURES | _DIRECTION | _LONE_SURROGATES


def shown(text: str) -> str:
    r"""Replace characters that cannot be seen or would disturb what follows; other scripts and emoji stay.

    Escaping for HTML is the template's and `Markup`'s job.

    >>> shown("a\x1b[31m\nb")
    'a␛[31m␊b'
    """
    return text.translate(_TABLE)


def prose(text: str) -> Markup:
    """Return a sentence whose names stand between backticks, as messages have them, for a page.

    >>> prose("`a<b` of 2")
    Markup('<code>a&lt;b</code> of 2')
    """
    parts = re.split("`([^`]+)`", shown(text))
    marked = (Markup("<code>{}</code>").format(part) if i % 2 else part for i, part in enumerate(parts))
    return Markup().join(marked)
