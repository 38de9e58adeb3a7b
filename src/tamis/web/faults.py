"""Errors as answers: one shape everywhere."""

from __future__ import annotations

import sys
import traceback

import msgspec
from starlette.responses import Response

from tamis.api.browsing.pages import NoSampleError
from tamis.api.browsing.pictures import LinkOutsideError
from tamis.api.browsing.values_work import Fault
from tamis.api.browsing.view import StillLoadingError
from tamis.errors import IndexMissingError, TamisError, UsageError
from tamis.media.pillow import PictureError
from tamis.storage import NotFoundError

_KINDS: tuple[tuple[type[Exception], int, str], ...] = (
    (NoSampleError, 404, "not-found"),
    (NotFoundError, 404, "not-found"),
    (LinkOutsideError, 403, "forbidden"),
    (UsageError, 400, "usage"),
    (StillLoadingError, 409, "loading"),
    (IndexMissingError, 409, "no-index"),
    (TamisError, 503, "storage"),
)
_GONE = Fault(
    code="no-index", message="A file of the index is gone", hint="it was cleaned up or removed: scan again"
)
_BUG = Fault(
    code="internal", message="This is a bug of tamis", hint="the terminal of `tamis serve` has the details"
)


def fault_of(error: Exception, *, index_gone: bool = False) -> tuple[int, Fault]:
    """Return the status and the body that say what went wrong; of a bug only that it is one: stderr has more."""
    if isinstance(error, PictureError):  # before the errors of text, as it is a ValueError, too
        return 422, Fault(code="picture", message=f"The picture cannot be shown: {error}")
    if isinstance(error, msgspec.MsgspecError | UnicodeError):
        return 400, Fault(code="usage", message=f"The request cannot be read: {error}")
    if isinstance(error, FileNotFoundError):
        return 409, _GONE
    for kind, status, code in _KINDS:
        if isinstance(error, TamisError) and isinstance(error, kind):
            return status, Fault(code=code, message=error.message, hint=error.hint)
    if index_gone:
        return 409, _GONE
    traceback.print_exception(error, file=sys.stderr)
    return 500, _BUG


def answer_fault(status: int, fault: Fault) -> Response:
    """Return the answer that says what went wrong."""
    return Response(msgspec.json.encode(fault), status_code=status, media_type="application/json")
