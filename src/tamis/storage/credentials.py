"""Credentials from where obstore does not look: AWS profiles, and Azure's connection string.

What is found goes to obstore and nowhere else: it is not kept, printed or pickled.
"""

from __future__ import annotations

import configparser
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROFILE_KEYS = {
    "aws_access_key_id": "access_key_id",
    "aws_secret_access_key": "secret_access_key",
    "aws_session_token": "session_token",
}
_NEEDS_TOOL = ("sso_session", "sso_start_url", "role_arn", "credential_process")
_AZURE_KEYS = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "SharedAccessSignature": "sas_key",
    "BlobEndpoint": "endpoint",
}


def aws_config(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the keys, region and endpoint of an AWS profile, for what the environment leaves open.

    Nothing is read where the environment has keys of its own or says that no signature is wanted.

    Raises:
        UsageError: when `AWS_PROFILE` names a profile that is not there, or one that only the AWS tools can follow.
    """
    profile = environment.get("AWS_PROFILE") or environment.get("AWS_DEFAULT_PROFILE")
    files = _profile_files(environment)
    values = _read_profile(files, profile or "default")
    if profile and not values:
        raise UsageError(
            f"There is no AWS profile `{profile}`", hint=f"looked into {' and '.join(map(str, files))}"
        )
    config: dict[str, str] = {}
    if "AWS_REGION" not in environment and "AWS_DEFAULT_REGION" not in environment and "region" in values:
        config["region"] = values["region"]
    if not any(name.startswith("AWS_ENDPOINT") for name in environment) and "endpoint_url" in values:
        config["endpoint"] = values["endpoint_url"]
    if "AWS_ACCESS_KEY_ID" in environment or "AWS_SKIP_SIGNATURE" in environment:
        return config
    if profile and "aws_access_key_id" not in values and any(key in values for key in _NEEDS_TOOL):
        raise UsageError(
            f"AWS profile `{profile}` has no keys of its own, but a role, single sign-on or a process to get them",
            hint="let the AWS tools get them: `eval $(aws configure export-credentials --format env)`",
        )
    return config | {ours: values[theirs] for theirs, ours in _PROFILE_KEYS.items() if theirs in values}


def azure_config(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return what `AZURE_STORAGE_CONNECTION_STRING` says, nothing where it is not set."""
    text = environment.get("AZURE_STORAGE_CONNECTION_STRING", "")
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    return {ours: parts[theirs] for theirs, ours in _AZURE_KEYS.items() if theirs in parts}


def _profile_files(environment: Mapping[str, str]) -> tuple[Path, Path]:
    folder = Path(environment.get("HOME") or Path.home()) / ".aws"
    credentials = environment.get("AWS_SHARED_CREDENTIALS_FILE")
    config = environment.get("AWS_CONFIG_FILE")
    return Path(credentials or folder / "credentials"), Path(config or folder / "config")


def _read_profile(files: tuple[Path, Path], name: str) -> dict[str, str]:
    credentials, config = files
    sections = {config: "default" if name == "default" else f"profile {name}", credentials: name}
    values: dict[str, str] = {}
    for path, section in sections.items():
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, OSError, UnicodeError):
            raise UsageError(f"`{path}` cannot be read as a file of AWS profiles") from None
        if parser.has_section(section):
            values |= dict(parser.items(section))
    return values
