"""Errors of buckets: what happened, where, and what to do, without the URLs and bodies that may hold secrets."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from obstore.exceptions import (
    BaseError,
    GenericError,
    InvalidPathError,
    PermissionDeniedError,
    UnauthenticatedError,
)

from tamis.storage.base import NotFoundError, StoreError, UnavailableError
from tamis.storage.bucket_url import BucketUrl, Service

if TYPE_CHECKING:
    from tamis.errors import DatasourceError

FAULTS = (BaseError, FileNotFoundError, PermissionError, ValueError, OSError)
"""What obstore raises; `FileNotFoundError` and the like are its own choice, not the file system's."""

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w+)</Code>")
_URL = re.compile(r"\bhttps?://\S+")
_TOOK = re.compile(r" in [\d.]+\w+(, after \d+ retries)?[^-]*- ")
_CREDENTIAL_SERVERS = ("169.254.169.254", "metadata.google.internal", "169.254.170.2")
# What S3 answers when it is not the key's fault, though its status says so.
_BAD_CREDENTIALS = frozenset(
    {
        "AuthenticationFailed",
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "NoAuthenticationInformation",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_ELSEWHERE = (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.BAD_REQUEST)
_BEYOND_END = ("status code: 416", "Wanted range starting at", "CONTENT_RANGE")
_BROKEN_OFF = ("response body", "decoding", "connection closed", "incomplete message", "error sending request")
_NEVER_MET = "kind: Connect,"  # obstore asked again and again, and nobody was there
_FIRST_PAUSE_SECS = 0.1
_LONGEST_PAUSE_SECS = 5.0
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound", "InvalidBucketName"})
_CREDENTIALS = {
    Service.S3: "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `AWS_PROFILE`, or run where an instance "
    "role gives them; for a public bucket set `AWS_SKIP_SIGNATURE=true`",
    Service.GCS: "set `GOOGLE_APPLICATION_CREDENTIALS`, or run `gcloud auth application-default login`; for a "
    "public bucket set `GOOGLE_SKIP_SIGNATURE=true`",
    Service.AZURE: "set `AZURE_STORAGE_ACCOUNT_NAME` with `AZURE_STORAGE_ACCOUNT_KEY` or "
    "`AZURE_STORAGE_SAS_TOKEN`, or `AZURE_STORAGE_CONNECTION_STRING`, or run where a managed identity gives them",
    Service.HTTP: "a server that asks for a password cannot be read",
}
_MAX_CLAUSE_CHARS = 200


def bucket_error(place: BucketUrl, verb: str, key: str, error: Exception) -> DatasourceError:
    """Return what an error of obstore means.

    Args:
        place: where it happened.
        verb: what was tried, as in "cannot be read".
        key: what it was tried on, "" for the root.
        error: as obstore raised it.

    Returns:
        `NotFoundError` or another `StoreError` where the key is to blame, `UnavailableError` where it is not.
    """
    answer = _Answer.of(error)
    what = f"`{key}` in `{place.url}` cannot be {verb}" if key else f"`{place.url}` cannot be {verb}"
    if (fault := _fault_of_place(place, answer, error)) is not None:
        reason, hint = fault
        return UnavailableError(f"{what}: {reason}", hint=hint)
    if isinstance(error, (PermissionDeniedError, PermissionError)) or answer.status == HTTPStatus.FORBIDDEN:
        return StoreError(f"{what}: permission denied", hint=_permission_hint(place, verb))
    if isinstance(error, FileNotFoundError):
        return NotFoundError(f"`{key}` is not in {place.url}")
    if isinstance(error, InvalidPathError):
        return StoreError(f"{what}: {_invalid_path(answer.text)}", hint="rename or remove that key")
    if place.service is Service.HTTP and verb == "listed" and answer.is_refusal:
        hint = (
            "listing over HTTPS needs a server that speaks WebDAV; name the bucket by `s3://`, `gs://` or `az://`"
        )
        return UnavailableError(f"{what}: the server does not list folders (status {answer.status})", hint=hint)
    return UnavailableError(f"{what}: {_clause(answer)}", hint="try again; `tamis doctor` says what works")


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a server said, as far as obstore's text tells.

    Attributes:
        text: of the error, without its debug part.
        status: of HTTP, `None` where no answer came.
        code: the service's own word for it.
    """

    text: str
    status: int | None
    code: str | None

    @classmethod
    def of(cls, error: Exception) -> _Answer:
        text = str(error).partition("\n\nDebug source")[0]
        status, code = _STATUS.search(text), _CODE.search(text)
        return cls(text, int(status[1]) if status else None, code[1] if code else None)

    @property
    def is_refusal(self) -> bool:
        return self.status is not None and self.status < HTTPStatus.INTERNAL_SERVER_ERROR


def _fault_of_place(place: BucketUrl, answer: _Answer, error: Exception) -> tuple[str, str] | None:
    """Return a reason and a hint where the bucket, the credentials or the region are wrong, else `None`."""
    if answer.code in _NO_BUCKET:
        return f"there is no bucket `{place.bucket}`", "check the URL for a typo"
    if any(server in answer.text for server in _CREDENTIAL_SERVERS):
        return "no credentials were found", _CREDENTIALS[place.service]
    is_refused = answer.status == HTTPStatus.UNAUTHORIZED or isinstance(error, UnauthenticatedError)
    if answer.code in _BAD_CREDENTIALS or is_refused:
        reason = f": {answer.code}" if answer.code else ""
        return f"the credentials are not accepted{reason}", _credentials_hint(place, answer.code)
    if place.service is Service.S3 and answer.status in _ELSEWHERE and answer.code != "InvalidRequest":
        hint = "set `AWS_REGION` to the bucket's region, or `AWS_ENDPOINT_URL` to its server"
        return answer.code or f"the server answers {answer.status}", hint
    return None


def may_be_beyond_end(error: Exception) -> bool:
    """Whether a range may have been refused because the object ends before it; each service says it in its way."""
    return any(words in str(error) for words in _BEYOND_END)


class Retries:
    """Patience with answers that break off, which obstore does not ask for again; it does where none comes.

    Args:
        secs: after which no fault is forgiven any more.
    """

    def __init__(self, secs: float) -> None:
        self._ends_secs = time.monotonic() + secs
        self._pause_secs = _FIRST_PAUSE_SECS

    def wait_after(self, error: Exception) -> bool:
        """Whether to try again after an error; if so, after a pause."""
        text = str(error)
        is_broken_off = isinstance(error, GenericError) and any(words in text for words in _BROKEN_OFF)
        if not is_broken_off or _NEVER_MET in text or time.monotonic() + self._pause_secs > self._ends_secs:
            return False
        time.sleep(self._pause_secs)
        self._pause_secs = min(2 * self._pause_secs, _LONGEST_PAUSE_SECS)
        return True


def _credentials_hint(place: BucketUrl, code: str | None) -> str:
    if code == "RequestTimeTooSkewed":
        return "set the clock of this machine: signatures hold for some minutes only"
    return _CREDENTIALS[place.service]


def _permission_hint(place: BucketUrl, verb: str) -> str:
    if place.public:
        return "an `https://` URL is read without credentials: name the bucket by `s3://`, `gs://` or `az://`"
    return f"ask for the permission that it can be {verb}: " + _PERMISSIONS[place.service].get(verb, "full access")


_PERMISSIONS: dict[Service, dict[str, str]] = {
    Service.S3: {
        "listed": "`s3:ListBucket`",
        "read": "`s3:GetObject`",
        "written": "`s3:PutObject`",
        "removed": "`s3:DeleteObject`",
    },
    Service.GCS: {
        "listed": "`storage.objects.list`",
        "read": "`storage.objects.get`",
        "written": "`storage.objects.create` and `storage.objects.delete`",
        "removed": "`storage.objects.delete`",
    },
    Service.AZURE: {
        "listed": "role `Storage Blob Data Reader`",
        "read": "role `Storage Blob Data Reader`",
        "written": "role `Storage Blob Data Contributor`",
        "removed": "role `Storage Blob Data Contributor`",
    },
    Service.HTTP: {},
}


def _invalid_path(text: str) -> str:
    """Say which key in a listing is none; obstore gives up the whole listing for it."""
    found = re.search(r'[Pp]ath "(.*?)"(?: contained|:)', text, re.DOTALL)
    key = f"`{found[1]!r}`" if found else "a key in it"
    return f"{key} is not a path: it has an empty part, `.`, `..` or a control character"


def _clause(answer: _Answer) -> str:
    """Say why in few words; of an answer only status and code, as its body may repeat what was sent."""
    if answer.status is not None:
        return f"the server answers {answer.status}" + (f" ({answer.code})" if answer.code else "")
    reason = _URL.sub("its URL", _TOOK.split(answer.text)[-1])
    return reason.strip().replace("\n", " ")[:_MAX_CLAUSE_CHARS]
