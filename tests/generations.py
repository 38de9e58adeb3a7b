"""What moto lacks of Google: a generation of each object, and writes on condition that it is still the same."""

from __future__ import annotations

import itertools
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from faulty_proxy import ForwardingHandler, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

_OK = 200
_CHANGED = b"<Error><Code>PreconditionFailed</Code><Message>the generation is another</Message></Error>"


@contextmanager
def with_generations(address: str) -> Iterator[str]:
    """Run a proxy of a server that numbers what is written through it, as Google does; give its address.

    `x-goog-generation` of an answer is the number, `x-goog-if-generation-match` of a write the one that must be
    there, 0 for nothing; where another is, the answer is 412.
    """
    numbers: dict[str, int] = {}
    counter = itertools.count(1)
    asking = threading.Lock()

    class Handler(ForwardingHandler):
        host = urlsplit(address).netloc

        def do_GET(self) -> None:  # noqa: N802 (the name that http.server calls)
            with asking:  # or else the bytes of one version came with the number of the next
                status, body, headers = self.forward()
                number = numbers.get(self._object())
            self.answer(status, body, headers if number is None else headers | {"x-goog-generation": str(number)})

        do_HEAD = do_POST = do_GET  # noqa: N815 (likewise)

        def do_PUT(self) -> None:  # noqa: N802 (likewise)
            wanted = self.headers.get("x-goog-if-generation-match")
            with asking:
                if wanted is not None and int(wanted) != numbers.get(self._object(), 0):
                    self.rfile.read(int(self.headers.get("Content-Length", 0)))
                    self.answer(412, _CHANGED, {})
                    return
                status, body, headers = self.forward()
                if status == _OK:
                    numbers[self._object()] = next(counter)
                    headers["x-goog-generation"] = str(numbers[self._object()])
            self.answer(status, body, headers)

        def do_DELETE(self) -> None:  # noqa: N802 (likewise)
            with asking:
                status, body, headers = self.forward()
                numbers.pop(self._object(), None)
            self.answer(status, body, headers)

        def _object(self) -> str:
            return unquote(urlsplit(self.path).path)

    with serving(Handler) as proxy:
        yield proxy
