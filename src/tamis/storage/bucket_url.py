"""URLs of buckets: what they name, and how they are written; no credentials are ever part of one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from tamis.errors import UsageError
from tamis.storage.base import StoreError, check_key

if TYPE_CHECKING:
    from collections.abc import Callable


class Service(StrEnum):
    """Whose protocol a bucket is spoken to in."""

    S3 = "s3"
    GCS = "gs"
    AZURE = "az"
    HTTP = "https"


SCHEMES = ("s3://", "gs://", "az://", "abfs://", "abfss://", "https://")
"""What the URL of a bucket begins with, as users write it."""

_SERVICES = {
    "s3": Service.S3,
    "s3a": Service.S3,
    "gs": Service.GCS,
    "gcs": Service.GCS,
    "az": Service.AZURE,
    "azure": Service.AZURE,
    "abfs": Service.AZURE,
    "abfss": Service.AZURE,
    "http": Service.HTTP,
    "https": Service.HTTP,
}
_SIGNATURE = re.compile(r"[?&](sig|signature|x-amz-[\w-]+|x-goog-[\w-]+)=", re.IGNORECASE)
# Where the public addresses of the three services name their bucket.
_S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3[.-](?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")
_GCS_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?storage\.googleapis\.com")
_AZURE_HOST = re.compile(r"(?P<account>[a-z0-9]+)\.(?:blob|dfs)\.core\.windows\.net")


@dataclass(frozen=True, slots=True)
class BucketUrl:
    """What the URL of a bucket says.

    Attributes:
        url: as the user would write it, without a slash at the end.
        service: whose protocol to speak.
        bucket: its name; of an Azure container; empty for `Service.HTTP`.
        prefix: key of the folder that is the root, "" for the whole bucket.
        account: of Azure, where the URL names it.
        region: of S3, where the URL names it.
        public: an `https://` URL: read without credentials, and never written.
    """

    url: str
    service: Service
    bucket: str
    prefix: str
    account: str | None = None
    region: str | None = None
    public: bool = False


def is_url(place: object) -> bool:
    """Whether a place is written as a URL, of a scheme that is known or not."""
    return isinstance(place, str) and "://" in place


def parse_bucket_url(url: str) -> BucketUrl:
    """Read the URL of a bucket and a folder in it; blanks and `%` in its path stand for themselves.

    Raises:
        UsageError: when the scheme is not known, no bucket is named, or the URL holds credentials.

    Examples:
        >>> place = parse_bucket_url("s3://pool/2024/front/")
        >>> place.bucket, place.prefix, place.url
        ('pool', '2024/front', 's3://pool/2024/front')
        >>> parse_bucket_url("abfss://frames@lab.dfs.core.windows.net/day").account
        'lab'
    """
    scheme, _, rest = url.partition("://")
    service = _SERVICES.get(scheme.lower())
    host, _, path = rest.partition("/")
    if service is None:
        known = ", ".join(f"`{known}`" for known in SCHEMES)
        raise UsageError(
            f"`{scheme}://` is not supported",
            hint=f"give a folder of this machine, or a URL that begins with {known}",
        )
    _refuse_credentials(service, scheme, host, rest)
    if not host:
        raise UsageError(f"`{url}` names no bucket", hint=f"write `{scheme}://BUCKET/FOLDER`")
    prefix = _prefix(url, path)
    written = f"{scheme}://{host}" + (f"/{prefix}" if prefix else "")
    if service is Service.AZURE and "@" in host:
        container, _, account_host = host.partition("@")
        return BucketUrl(written, service, container, prefix, account=account_host.partition(".")[0])
    if service is not Service.HTTP:
        return BucketUrl(written, service, host, prefix)
    return _public(written, host, prefix)


def _refuse_credentials(service: Service, scheme: str, host: str, rest: str) -> None:
    """A URL is printed, and stored in the index: nothing secret may be in it, and none of it is repeated here."""
    user, at, _ = host.rpartition("@")
    is_secret = ":" in user or (service is Service.HTTP and (at or "?" in rest))
    if is_secret or "?" in host or _SIGNATURE.search(rest):
        raise UsageError(
            f"A `{scheme}://` URL may hold neither a password nor a signature, as it is printed and stored",
            hint="take it out of the URL and give it in the environment, e.g. as `AZURE_STORAGE_SAS_TOKEN`",
        )


def _prefix(url: str, path: str) -> str:
    prefix = path.rstrip("/")
    try:
        return check_key(prefix) if prefix else ""
    except StoreError as error:
        raise UsageError(f"The path of `{url}` cannot be a folder: {error.message}") from None


def _public(url: str, host: str, prefix: str) -> BucketUrl:
    """Return what an `https://` URL names: a public bucket of a known service, or a server that lists by WebDAV."""
    readers: list[tuple[re.Pattern[str], Callable[[re.Match[str], str, str], BucketUrl]]] = [
        (_S3_HOST, lambda m, b, p: BucketUrl(url, Service.S3, b, p, region=m["region"], public=True)),
        (_GCS_HOST, lambda _, b, p: BucketUrl(url, Service.GCS, b, p, public=True)),
        (_AZURE_HOST, lambda m, b, p: BucketUrl(url, Service.AZURE, b, p, account=m["account"], public=True)),
    ]
    for pattern, read in readers:
        match = pattern.fullmatch(host)
        if match is None:
            continue
        bucket, folder = match.groupdict().get("bucket"), prefix
        if bucket is None:
            bucket, _, folder = prefix.partition("/")
        if not bucket:
            raise UsageError(f"`{url}` names no bucket", hint=f"write `https://{host}/BUCKET/FOLDER`")
        return read(match, bucket, folder)
    return BucketUrl(url, Service.HTTP, "", prefix, public=True)
