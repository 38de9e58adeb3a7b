from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import UsageError
from tamis.storage import is_url
from tamis.storage.bucket_url import Service, parse_bucket_url
from tamis.storage.credentials import aws_config, azure_config

if TYPE_CHECKING:
    from pathlib import Path

parts = st.text(st.characters(codec="utf-8", exclude_characters="/\\\0?@"), min_size=1).filter(
    lambda part: part not in {".", ".."}
)


@given(st.sampled_from(["s3", "gs", "az"]), st.lists(parts, max_size=3), st.sampled_from(["", "/", "//"]))
def test_a_url_is_a_bucket_and_a_folder(scheme: str, folder: list[str], end: str) -> None:
    """What is written is what is read, whatever the names; slashes at the end say nothing."""
    place = parse_bucket_url("/".join([f"{scheme}://bucket", *folder]) + end)
    assert (place.service, place.bucket, place.prefix) == (Service(scheme), "bucket", "/".join(folder))
    assert place.url == "/".join([f"{scheme}://bucket", *folder])
    assert parse_bucket_url(place.url) == place
    assert not place.public


@pytest.mark.parametrize(
    ("url", "service", "bucket", "prefix", "account", "region"),
    [
        ("abfss://c@acc.dfs.core.windows.net/a/b", "az", "c", "a/b", "acc", None),
        ("https://acc.blob.core.windows.net/c/a/b", "az", "c", "a/b", "acc", None),
        ("https://b.s3.eu-west-1.amazonaws.com/a", "s3", "b", "a", None, "eu-west-1"),
        ("https://s3.eu-west-1.amazonaws.com/b/a", "s3", "b", "a", None, "eu-west-1"),
        ("https://b.c.s3.eu-west-1.amazonaws.com", "s3", "b.c", "", None, "eu-west-1"),
        ("https://storage.googleapis.com/b/a", "gs", "b", "a", None, None),
        ("https://b.storage.googleapis.com/a", "gs", "b", "a", None, None),
        ("https://files.example.org:8443/a/b/", "https", "", "a/b", None, None),
    ],
)
def test_addresses(
    url: str, service: str, bucket: str, prefix: str, account: str | None, region: str | None
) -> None:
    """Addresses of the services name their buckets; any other is a server of files."""
    place = parse_bucket_url(url)
    found = (place.service, place.bucket, place.prefix, place.account, place.region)
    assert found == (service, bucket, prefix, account, region)
    assert place.public == url.startswith("https://")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("s3://", "names no bucket"),
        ("https://s3.eu-west-1.amazonaws.com/", "names no bucket"),
        ("s3:///a", "names no bucket"),
        ("s3://b/a//c", "cannot be a folder"),
        ("s3://b/../c", "cannot be a folder"),
        ("file:///etc", "`file://` is not supported"),
        ("s3://key:secret@b/x", "neither a password nor a signature"),
        ("https://user@h/x", "neither a password nor a signature"),
        ("https://h/x?token=secret", "neither a password nor a signature"),
        ("az://c?sp=r&sig=secret", "neither a password nor a signature"),
        ("s3://b/x?X-Amz-Signature=secret", "neither a password nor a signature"),
    ],
)
def test_what_is_refused(url: str, message: str) -> None:
    """What names no bucket, leaves its root, or holds a secret is refused, and the secret is not repeated."""
    assert is_url(url)
    with pytest.raises(UsageError, match=message) as refused:
        parse_bucket_url(url)
    assert "secret" not in str(refused.value)


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / ".aws"
    folder.mkdir()
    (folder / "credentials").write_text(
        "[default]\naws_access_key_id = D\naws_secret_access_key = d%s\n"
        "[lab]\naws_access_key_id = L\naws_secret_access_key = l\naws_session_token = t\n"
    )
    (folder / "config").write_text(
        "[default]\nregion = eu-north-1\n[profile lab]\nregion = eu-west-3\nendpoint_url = http://localhost:9\n"
        "[profile corp]\nsso_session = corp\nregion = us-east-2\n"
    )
    return {"HOME": str(tmp_path)}


def test_profiles(home: dict[str, str]) -> None:
    """A profile gives keys, region and endpoint, each unless the environment does; without one, `default` does."""
    default = {"access_key_id": "D", "secret_access_key": "d%s", "region": "eu-north-1"}
    lab = {"access_key_id": "L", "secret_access_key": "l", "session_token": "t"}
    place = {"region": "eu-west-3", "endpoint": "http://localhost:9"}
    assert aws_config(home) == default
    assert aws_config(home | {"AWS_PROFILE": "lab"}) == lab | place
    assert aws_config(home | {"AWS_PROFILE": "lab", "AWS_ACCESS_KEY_ID": "E"}) == place
    assert aws_config(home | {"AWS_PROFILE": "lab", "AWS_SKIP_SIGNATURE": "true"}) == place
    given_place = {"AWS_REGION": "x", "AWS_ENDPOINT_URL": "y"}
    assert aws_config(home | {"AWS_PROFILE": "lab"} | given_place) == lab
    assert aws_config({"HOME": "/nonexistent"}) == {}


@pytest.mark.parametrize(
    ("profile", "message"), [("none", "no AWS profile `none`"), ("corp", "has no keys of its own")]
)
def test_profiles_that_do_not_help(profile: str, message: str, home: dict[str, str]) -> None:
    """A profile that is not there, or that only the AWS tools can follow, is refused with what to do."""
    with pytest.raises(UsageError, match=message) as refused:
        aws_config(home | {"AWS_PROFILE": profile})
    assert refused.value.hint


def test_connection_strings() -> None:
    """Azure's connection string gives account, key and address; keys end in `=`."""
    text = "DefaultEndpointsProtocol=http;AccountName=n;AccountKey=k==;BlobEndpoint=http://localhost:1/n;"
    expected = {"account_name": "n", "account_key": "k==", "endpoint": "http://localhost:1/n"}
    assert azure_config({"AZURE_STORAGE_CONNECTION_STRING": text}) == expected
    assert azure_config({}) == {}
