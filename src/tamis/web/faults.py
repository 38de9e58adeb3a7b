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


def fault_of(error: Exception) -> tuple[int, Fault]:
    """Return the status and the body that say what went wrong; a bug is told on stderr, and only that it happened here."""
    match error:
        case msgspec.MsgspecError() | UnicodeError():
            return 400, Fault(code="usage", message=f"The request cannot be read: {error}")
        case NoSampleError() | NotFoundError():
            return 404, _fault("not-found", error)
        case UsageError():
            return 400, _fault("usage", error)
        case StillLoadingError():
            return 409, _fault("loading", error)
        case IndexMissingError():
            return 409, _fault("no-index", error)
        case LinkOutsideError():
            return 403, _fault("forbidden", error)
        case PictureError():
            return 422, Fault(code="picture", message=f"The picture cannot be shown: {error}")
        case TamisError():
            return 503, _fault("storage", error)
        case FileNotFoundError():
            return 409, Fault(
                code="no-index",
                message="A file of the index is gone",
                hint="it was cleaned up or removed: scan again",
            )
    traceback.print_exception(error, file=sys.stderr)
    return 500, Fault(
        code="internal", message="This is a bug of tamis", hint="the terminal of `tamis serve` has the details"
    )


def answer_fault(status: int, fault: Fault) -> Response:
    """Return the answer that says what went wrong."""
    return Response(msgspec.json.encode(fault), status_code=status, media_type="application/json")


def _fault(code: str, error: TamisError) -> Fault:
    return Fault(code=code, message=error.message, hint=error.hint)
