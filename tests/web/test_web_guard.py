"""Who may ask, and what every answer says to the browser."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import start_blocking_portal

import tamis
from tamis.api.browsing.project import ServeOptions
from tamis.errors import UsageError
from tamis.web.app import ENDPOINTS
from tamis.web.guard import Access
from tamis.web.server import ServerOptions, access_of
from web_data import HOSTILE, HOSTILE_CLASS, PAGE, Asker, served

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping

TOKEN = "a-token-that-is-long-enough"  # noqa: S105 (of this test)
SAFE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture(scope="module")
def closed(datasource: Path) -> Iterator[Asker]:
    """A page that asks for a token."""
    with served(datasource, access=Access(hosts=frozenset(), token=TOKEN)) as asker:
        yield asker


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/grid?filter=[]", 200),
        ("/api/status", 200),
        ("/api/none", 404),
        ("/api/sample?key=none", 404),
        ("/api/samples?limit=0", 400),
        ("/static/none.js", 404),
    ],
)
def test_every_answer_has_the_security_headers(page: Asker, path: str, status: int) -> None:
    """Law: pages, data, files and faults all forbid foreign scripts, frames and guesses about content."""
    answer = page.client.get(path)
    assert answer.status_code == status
    for name, value in SAFE.items():
        assert answer.headers[name] == value
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "access-control-allow-origin" not in answer.headers


def test_only_the_import_map_may_stand_in_the_page(page: Asker) -> None:
    """The one inline script is named by its hash, and no other can be."""
    script = PAGE.split(b">", 2)[2].split(b"</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script).digest()).decode()
    policy = page.client.get("/").headers["content-security-policy"]
    assert f"script-src 'self' 'sha256-{digest}';" in policy


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8765", "", "localhost.evil"]
)
@pytest.mark.parametrize("path", ["/", "/api/samples", "/static/app.js"])
def test_foreign_hosts_are_refused(page: Asker, host: str, path: str) -> None:
    """A name that somebody else points here (DNS rebinding) is answered nothing but that."""
    answer = page.client.get(path, headers={"host": host})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
    assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8765", "[::1]:8765"])
def test_loopback_hosts_are_answered(page: Asker, host: str) -> None:
    """Whatever the port: proxies and forwarded ports change it."""
    assert page.client.get("/api/status", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"},
    ],
)
def test_other_sites_may_not_ask(page: Asker, headers: dict[str, str]) -> None:
    """Reading and writing alike, by any port of this machine or any other."""
    before = page.read("jobs")
    assert page.client.get("/api/samples", headers=headers).status_code == 403
    assert page.client.post("/api/scan", json={}, headers=headers).status_code == 403
    assert page.read("jobs") == before


def test_links_of_other_sites_may_open_the_page_alone(page: Asker) -> None:
    """A bookmark in a chat opens the page; the same link to data is refused."""
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    assert page.client.get("/grid", headers=headers).status_code == 200
    assert page.client.get("/api/samples", headers=headers).status_code == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_forms_are_refused(page: Asker, kind: str) -> None:
    """What a form of another site can send is no JSON."""
    before = page.read("jobs")
    answer = page.client.post("/api/scan", content=b"{}", headers={"content-type": kind})
    assert answer.status_code == 415
    assert page.read("jobs") == before


def test_without_the_token_nothing_is_answered(closed: Asker) -> None:
    """Law: no route answers without the token, or with another one."""
    paths = [endpoint.path for endpoint in ENDPOINTS] + ["/", "/api/events", "/api/openapi.json", "/static/a.js"]
    wrong = [{}, {"authorization": "Bearer wrong"}, {"cookie": "tamis-token=wrong"}, {"authorization": TOKEN}]
    for path in paths:
        for headers in wrong:
            answer = closed.client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "token"), path
    assert closed.client.get("/?token=" + TOKEN[:-1]).status_code == 401


def test_the_token_opens_the_page_and_leaves_the_address(closed: Asker) -> None:
    """The address with the token sets a cookie that scripts cannot read, and leads to the address without it."""
    answer = closed.client.get(f"/grid?token={TOKEN}&sort=key", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/grid?sort=key")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    name_and_value = cookie.split(";")[0]
    assert closed.client.get("/api/status", headers={"cookie": name_and_value}).status_code == 200
    closed.client.cookies.clear()
    bearer = {"authorization": f"Bearer {TOKEN}"}
    assert closed.client.get("/api/status", headers=bearer).status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/", "/\\evil.example/", "///evil.example"])
def test_signing_in_leads_nowhere_else(closed: Asker, path: str) -> None:
    """An address that looks like another site stays on this one."""
    answer = closed.client.get(f"http://127.0.0.1:8765{path}?token={TOKEN}", follow_redirects=False)
    closed.client.cookies.clear()
    location = answer.headers["location"]
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))


def test_tokens_are_compared_in_constant_time(closed: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison goes through `hmac.compare_digest`, whose time says nothing of where two tokens differ."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(a: bytes, b: bytes) -> bool:
        compared.append((a, b))
        return False

    monkeypatch.setattr("tamis.web.guard.hmac.compare_digest", compare)
    answer = closed.client.get("/api/status", headers={"authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 401
    assert (TOKEN.encode(), TOKEN.encode()) in compared


@pytest.mark.parametrize(
    ("host", "asks", "any_name"),
    [
        ("127.0.0.1", False, False),
        ("localhost", False, False),
        ("::1", False, False),
        ("127.9.9.9", False, False),
        ("0.0.0.0", True, True),  # noqa: S104 (nothing listens)
        ("::", True, True),
        ("192.168.1.5", True, False),
        ("box.local", True, False),
    ],
)
def test_other_hosts_than_loopback_have_a_token(host: str, *, asks: bool, any_name: bool) -> None:
    """What other machines can reach asks for a token, given or made."""
    access = access_of(ServerOptions(host=host))
    assert (access.token is not None) is asks
    assert (not access.hosts) is any_name
    if asks:
        assert access.token is not None
        assert len(access.token) >= 32
        assert access.token != access_of(ServerOptions(host=host)).token


def test_short_tokens_are_refused() -> None:
    """A token that can be guessed is none."""
    with pytest.raises(UsageError, match="The token is too short: expected 16 characters or more"):
        access_of(ServerOptions(token="short"))  # noqa: S106 (that it is one is the point)


TRAVERSALS = [
    "../secret.png", "../../etc/passwd", "/etc/passwd", "a/../../secret.png", "..%2Fsecret.png",
    "%2e%2e/secret.png", "%252e%252e%252fsecret.png", "..\\secret.png", "a/000.png\0.txt",
    "file:///etc/passwd", ".lightly/predictions/tasks.json",
    "./a/003.png", "a//003.png", "",
]  # fmt: skip


@pytest.mark.parametrize("key", TRAVERSALS)
@pytest.mark.parametrize(
    ("route", "more"),
    [
        ("picture", {}),
        ("picture", {"side": 64}),
        ("crop", {"task": "boxes", "position": 0}),
        ("masks", {"task": "areas"}),
        ("raw", {"task": "boxes"}),
        ("raw", {"task": "../../.."}),
        ("sample", {}),
        ("timeline", {}),
        ("samples/place", {}),
    ],
)
def test_files_outside_cannot_be_named(page: Asker, route: str, more: dict[str, Any], key: str) -> None:
    """Law: whatever a key says, only samples of the index are answered about."""
    (page.folder.parent / "secret.png").write_bytes((page.folder / "a/003.png").read_bytes())
    answer = page.get(route, key=key, **more)
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/json"
    assert b"root:" not in answer.content


@pytest.mark.parametrize(
    "path", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "%252e%252e/app.py", "/etc/passwd", ".hidden"]
)
def test_static_files_stay_in_their_folder(page: Asker, path: str) -> None:
    """The source beside the static files is not among them."""
    answer = page.client.get(f"/static/{path}")
    assert answer.status_code in {200, 404}
    assert b"create_app" not in answer.content


@pytest.mark.parametrize("given", ["../../etc", "a" * 65, "x/../y", "..", "jobs"])
@pytest.mark.parametrize("route", ["job", "selection", "selection/picks", "selection/report", "selection/export"])
def test_jobs_outside_cannot_be_named(page: Asker, route: str, given: str) -> None:
    """An id is that of a job, never a path."""
    more = {"format": "names"} if route.endswith("export") else {}
    assert page.get(route, id=given, **more).status_code in {400, 404}


def test_links_that_lead_out_are_refused_unless_allowed(tmp_path: Path, datasource: Path) -> None:
    """A symlink out of the datasource is shown to nobody by default, as picture or as text."""
    secret = tmp_path / "secret.png"
    secret.write_bytes((datasource / "a/003.png").read_bytes())
    folder = tmp_path / "data"
    shutil.copytree(datasource, folder, ignore=shutil.ignore_patterns("tamis"))
    (folder / "a/003.png").unlink()
    (folder / "a/003.png").symlink_to(secret)
    (folder / "a/006.png").unlink()
    (folder / "a/006.png").symlink_to(folder / "b/001.png")
    raw = folder / ".lightly/predictions/boxes/b/001.json"
    (tmp_path / "secret.json").write_bytes(raw.read_bytes())
    raw.unlink()
    raw.symlink_to(tmp_path / "secret.json")
    tamis.open(folder).scan(tamis.ScanOptions(workers=1))
    with served(folder) as asker:
        for query in ({}, {"side": 64}):
            answer = asker.get("picture", key="a/003.png", **query)
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
            assert "--follow-links" in answer.json()["hint"]
            assert asker.get("picture", key="a/006.png", **query).status_code == 200
        assert asker.get("raw", key="b/001.png", task="boxes").status_code == 403
    with served(folder, options=ServeOptions(follow_links=True)) as asker:
        assert asker.get("picture", key="a/003.png").status_code == 200
        assert asker.get("raw", key="b/001.png", task="boxes").content == raw.read_bytes()


def test_hostile_names_are_data(page: Asker) -> None:
    """Names of files and classes with markup come as JSON, which no browser renders, and unchanged."""
    found = page.get("samples", filter=[{"type": "path", "text": "<script>"}])
    assert found.headers["content-type"] == "application/json"
    assert [card["key"] for card in found.json()["samples"]] == [HOSTILE]
    assert page.get("picture", key=HOSTILE, side=64).headers["content-type"] == "image/jpeg"
    assert page.get("raw", key=HOSTILE, task="boxes").headers["content-type"] == "text/plain; charset=utf-8"
    classes = page.read("overview")["tasks"][0]["categories"]
    assert HOSTILE_CLASS in [category["name"] for category in classes]
    fault = page.get("sample", key="<script>alert(1)</script>")
    assert fault.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"config": 3}',
        b'{"unknown": 1}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"a":' * 50_000,
    ],
)
@pytest.mark.parametrize("path", [endpoint.path for endpoint in ENDPOINTS if endpoint.method == "POST"])
def test_malformed_bodies_are_faults(page: Asker, path: str, body: bytes) -> None:
    """Law: every POST answers nonsense with 400 and says why."""
    answer = page.client.post(path, content=body, headers={"content-type": "application/json"})
    if body == b"{}" or (path == "/api/scan" and body == b""):
        return
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "usage"


def test_large_requests_are_refused(page: Asker) -> None:
    """Bodies and addresses have a limit, whether their length is said or not."""
    headers = {"content-type": "application/json"}
    large = b'{"config": "' + b"x" * (5 << 20) + b'"}'
    assert page.client.post("/api/config/check", content=large, headers=headers).status_code == 413
    pieces = (large[i : i + 65_536] for i in range(0, len(large), 65_536))
    assert page.client.post("/api/config/check", content=pieces, headers=headers).status_code == 413
    assert _status_of(page, "/api/samples", b"filter=" + b"x" * 300_000) == 414
    assert (
        page.client.post("/api/scan", content=b"{}", headers={**headers, "content-length": "-5"}).status_code == 413
    )


@pytest.mark.parametrize(
    "text", ["[", "{}", "3", '[{"type": "none"}]', '[{"type": "path"}]',
             '[{"type": "path", "text": "x", "more": 1}]',
             '[{"type": "predictions", "task": "none"}]', '[{"type": "number", "column": "none"}]',
             '[{"type": "label", "column": "sample:width", "values": []}]', "[" * 9_000,
             '[{"type": "selection", "id": "../.."}]', '[{"type": "pool", "name": "../x"}]',
             '[{"type": "lasso", "space": "../x", "polygon": []}]'],
)  # fmt: skip
def test_filters_that_are_none_are_faults(page: Asker, text: str) -> None:
    """What a filter names wrongly is said, never a bug."""
    answer = page.client.get("/api/samples", params={"filter": text})
    assert answer.status_code in {400, 404}
    assert answer.json()["message"]


@pytest.mark.parametrize(
    "query", ["limit=-1", "limit=501", "offset=x", "limit=1&limit=2", "unknown=1", "sort=none"]
)
def test_queries_that_are_none_are_faults(page: Asker, query: str) -> None:
    """A name that is misspelt or given twice is a fault, not a default."""
    assert page.client.get(f"/api/samples?{query}").status_code == 400


def test_nothing_of_the_machine_is_told(page: Asker) -> None:
    """Answers name no server, and faults hold no traceback."""
    answer = page.get("sample", key="none")
    assert "server" not in answer.headers
    assert "Traceback" not in answer.text
    assert os.fspath(Path(tamis.__file__).parent) not in answer.text


def _status_of(page: Asker, path: str, query: bytes) -> int:
    """Return how a request is answered that the client would not even send."""
    statuses: list[int] = []
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"127.0.0.1")],
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask() -> None:
        await page.client.app(scope, receive, send)

    with start_blocking_portal() as portal:  # a thread of its own: the browser's tests leave a loop in this one
        portal.call(ask)
    return statuses[0]
