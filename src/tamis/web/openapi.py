"""The description of all routes, OpenAPI 3.1, written from their structs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, get_origin

import msgspec

import tamis
from tamis.api.browsing.conditions import Filter
from tamis.api.browsing.values_work import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.web.routing import Endpoint

_REF = "#/components/schemas/{name}"


def describe_routes(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document."""
    answers = [endpoint.answer for endpoint in endpoints if not _is_content_type(endpoint.answer)]
    bodies = [endpoint.request for endpoint in endpoints if endpoint.method == "POST"]
    types = [*answers, *bodies, Fault, Filter]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = dict(zip(map(str, types), schemas, strict=True))
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "tamis",
            "version": tamis.__version__,
            "description": "What the page of `tamis serve` asks. `filter` is JSON text of a `Filter`.",
        },
        "paths": paths,
        "components": {"schemas": {**components, "Filter": schema_of[str(Filter)]}},
    }


def _is_content_type(answer: Any) -> bool:  # noqa: ANN401 (a type, or the content type of bytes)
    return isinstance(answer, str) and get_origin(answer) is None


def _operation(endpoint: Endpoint, schema_of: dict[str, Any]) -> dict[str, Any]:
    fault = {"application/json": {"schema": schema_of[str(Fault)]}}
    if _is_content_type(endpoint.answer):
        content: dict[str, Any] = {endpoint.answer: {}}
    else:
        content = {"application/json": {"schema": schema_of[str(endpoint.answer)]}}
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{endpoint.method.lower()}{endpoint.path}"),
        "summary": endpoint.about,
        "responses": {
            "200": {"description": "The answer", "content": content},
            "4XX": {"description": "Why there is none", "content": fault},
            "5XX": {"description": "Why there is none", "content": fault},
        },
    }
    if endpoint.method == "GET":
        operation["parameters"] = _parameters(endpoint.request)
    else:
        body = {"application/json": {"schema": schema_of[str(endpoint.request)]}}
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _parameters(request: type[msgspec.Struct]) -> list[dict[str, Any]]:
    _, components = msgspec.json.schema_components([request], ref_template=_REF)
    schema = components[request.__name__]
    about = attributes_of(request)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": kind,
            **({"description": about[name]} if name in about else {}),
        }
        for name, kind in schema["properties"].items()
    ]


def attributes_of(request: type) -> dict[str, str]:
    """Return what the docstrings of a struct and its bases say of each attribute."""
    about: dict[str, str] = {}
    for base in reversed(request.__mro__):
        text = (base.__doc__ or "").partition("Attributes:")[2]
        for match in re.finditer(r"^ {8}(\w+): (.*(?:\n {12}.*)*)", text, re.MULTILINE):
            about[match[1]] = re.sub(r"\s+", " ", match[2])
    return about
