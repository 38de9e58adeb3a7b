"""Connections to buckets: endpoints, credentials, time limits and retries, by obstore."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from obstore.store import AzureStore, GCSStore, HTTPStore, S3Store

from tamis.storage.bucket_url import BucketUrl, Service
from tamis.storage.credentials import aws_config, azure_config

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from obstore.store import AzureConfig, ClientConfig, GCSConfig, RetryConfig, S3Config

    Objects: TypeAlias = S3Store | GCSStore | AzureStore | HTTPStore

# A connection that is silent for so long is dead; a large video may take much longer in all.
_SILENCE = timedelta(seconds=30)
_WHOLE_REQUEST = timedelta(hours=1)
_CONNECT = timedelta(seconds=5)
_FIRST_PAUSE = timedelta(milliseconds=100)
_LONGEST_PAUSE = timedelta(seconds=10)
_MAX_RETRIES = 10

_S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_GCS_ENDPOINTS = ("GOOGLE_BASE_URL", "STORAGE_EMULATOR_HOST")
_AZURE_ENDPOINTS = ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT")


def connect(place: BucketUrl, *, retry_secs: float) -> Objects:
    """Return obstore's client of a bucket; nothing is sent yet.

    Args:
        place: what its URL says; the rest is taken from the environment and the files of the cloud's tools.
        retry_secs: how long to go on trying where the server fails or does not answer.

    Raises:
        UsageError: when the files that hold credentials cannot be made sense of.
        ValueError: when obstore finds the settings in the environment wrong.
        BaseError: likewise.
    """
    retry: RetryConfig = {
        "max_retries": _MAX_RETRIES,
        "retry_timeout": timedelta(seconds=retry_secs),
        "backoff": {"init_backoff": _FIRST_PAUSE, "max_backoff": _LONGEST_PAUSE},
    }
    match place.service:
        case Service.S3:
            return _s3(place, retry)
        case Service.GCS:
            return _gcs(place, retry)
        case Service.AZURE:
            return _azure(place, retry)
        case Service.HTTP:
            root = place.url.removesuffix(f"/{place.prefix}") if place.prefix else place.url
            return HTTPStore(root, client_options=_client(root), retry_config=retry)


def _s3(place: BucketUrl, retry: RetryConfig) -> S3Store:
    # Deletion of many objects in one request is what S3's imitations lack most often; we delete one at a time.
    config: S3Config = {"disable_bulk_delete": True}
    if place.public:
        config["skip_signature"] = True
        config["region"] = place.region or "us-east-1"
        return S3Store(place.bucket, config=config, client_options=_client(None), retry_config=retry)
    config.update(aws_config())  # type: ignore[typeddict-item]  # its keys are theirs
    endpoint = _first(_S3_ENDPOINTS) or config.get("endpoint")
    if endpoint is not None:
        config["endpoint"] = endpoint
    return S3Store(place.bucket, config=config, client_options=_client(endpoint), retry_config=retry)


def _gcs(place: BucketUrl, retry: RetryConfig) -> GCSStore:
    config: GCSConfig = {}
    endpoint = None if place.public else _first(_GCS_ENDPOINTS)
    if endpoint is not None:
        endpoint = endpoint if "://" in endpoint else f"http://{endpoint}"
        config["base_url"] = endpoint
    if place.public:
        config["skip_signature"] = True
    elif "STORAGE_EMULATOR_HOST" in os.environ:
        config["bearer_token"] = "emulator"  # noqa: S105 (any will do; without one, writes ask Google for it)
    return GCSStore(place.bucket, config=config, client_options=_client(endpoint), retry_config=retry)


def _azure(place: BucketUrl, retry: RetryConfig) -> AzureStore:
    config: AzureConfig = {}
    if place.public:
        config["skip_signature"] = True
    else:
        config.update(azure_config())  # type: ignore[typeddict-item]  # its keys are theirs
    if place.account is not None:
        config["account_name"] = place.account
    endpoint = None if place.public else _first(_AZURE_ENDPOINTS) or config.get("endpoint")
    return AzureStore(place.bucket, config=config, client_options=_client(endpoint), retry_config=retry)


def _client(endpoint: str | None) -> ClientConfig:
    """Return the options of a client; plain HTTP only where the user named an endpoint that speaks it."""
    options: ClientConfig = {"connect_timeout": _CONNECT, "read_timeout": _SILENCE, "timeout": _WHOLE_REQUEST}
    if endpoint is not None and endpoint.startswith("http://"):
        options["allow_http"] = True
    return options


def _first(names: Iterable[str]) -> str | None:
    return next((value for name in names if (value := os.environ.get(name))), None)
