"""The outermost layer: who may ask, and what every answer says to the browser.

Raw ASGI, so that errors, files and event streams all pass through it.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from tamis.api.browsing.values_work import Fault

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MAX_BODY_BYTES = 4 << 20
_MAX_URL_BYTES = 256 << 10
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True, slots=True)
class Access:
    """Who may ask.

    Attributes:
        hosts: names that the page is reached by, in lower case without port: anything else in `Host` is refused, so
            that no other site can point its own name here (DNS rebinding). Empty: any name, where there is a token.
        token: what a browser has to show first; `None`: no token, which is right for loopback only.
    """

    hosts: frozenset[str] = _LOOPBACK_NAMES
    token: str | None = None


class Guard:
    """Refuses what comes from elsewhere, and adds the security headers to every answer.

    Args:
        app: what answers the rest.
        access: who may ask.
        script_hashes: CSP sources of the inline scripts of the page.
    """

    def __init__(self, app: ASGIApp, access: Access, script_hashes: Iterable[str] = ()) -> None:
        self._app = app
        self._access = access
        self._headers = _security_headers(script_hashes)
        # Browsers tell servers of one machine apart by their cookies' names only, not by their ports.
        self._cookie_name = f"tamis-{hashlib.sha256((access.token or '').encode()).hexdigest()[:8]}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # no websockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = self._with_headers(send)
        headers = _headers(scope)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await _answer(guarded, *refusal)
        elif (location := self._sign_in(scope)) is not None:
            cookie = f"{self._cookie_name}={self._access.token}; HttpOnly; SameSite=Strict; Path=/"
            await _redirect(guarded, location, cookie)
        else:
            await self._app(scope, _limited(receive), guarded)

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, Fault] | None:
        """Say why a request is not answered, `None` where it is."""
        return self._foreign(scope, headers) or _unfit(scope, headers) or self._unsigned(scope, headers)

    def _foreign(self, scope: Scope, headers: dict[str, str]) -> tuple[int, Fault] | None:
        host = headers.get("host", "")
        if self._access.hosts and _name_of(host) not in self._access.hosts:
            return 403, Fault(
                code="forbidden",
                message=f"This server does not answer to the name `{host[:100]}`",
                hint="open the address that `tamis serve` printed; `--name` adds a name",
            )
        if _is_foreign(headers, host, scope):
            return 403, Fault(code="forbidden", message="Other sites may not ask this server")
        return None

    def _unsigned(self, scope: Scope, headers: dict[str, str]) -> tuple[int, Fault] | None:
        if self._has_token(scope, headers):
            return None
        return 401, Fault(
            code="token",
            message="This page is open to those who have its token",
            hint="open the whole address that `tamis serve` printed, with `?token=...`",
        )

    def _has_token(self, scope: Scope, headers: dict[str, str]) -> bool:
        if self._access.token is None:
            return True
        shown = [_cookie(headers.get("cookie", ""), self._cookie_name), _token_of_query(scope)]
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            shown.append(value.strip())
        # Every one is compared, each in constant time.
        right = [hmac.compare_digest(token.encode(), self._access.token.encode()) for token in shown]
        return any(right)

    def _sign_in(self, scope: Scope) -> str | None:
        """Return where to go on without the token in the address, which would stay in the history."""
        if self._access.token is None or scope["method"] != "GET" or not _token_of_query(scope):
            return None
        if scope["path"].startswith("/api/"):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        rest = urlencode({name: values for name, values in query.items() if name != "token"}, doseq=True)
        path = "/" + str(scope["path"]).lstrip("/\\")  # `//other.site` would lead there
        return path + (f"?{rest}" if rest else "")

    def _with_headers(self, send: Send) -> Send:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name for name, _ in message.get("headers", ())}
                added = [pair for pair in self._headers if pair[0] not in own]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        return guarded


def _unfit(scope: Scope, headers: dict[str, str]) -> tuple[int, Fault] | None:
    """Say why a request is too large, or could be the form of another site."""
    if len(scope.get("query_string", b"")) + len(scope["path"]) > _MAX_URL_BYTES:
        return 414, Fault(code="too-large", message="The address is too long")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:15]) > _MAX_BODY_BYTES:
        return 413, Fault(code="too-large", message=f"A request may carry {_MAX_BODY_BYTES:,} bytes")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if scope["method"] not in {"GET", "HEAD"} and kind != "application/json":
        return 415, Fault(code="usage", message="Expected `Content-Type: application/json`")
    return None


def _security_headers(script_hashes: Iterable[str]) -> list[tuple[bytes, bytes]]:
    scripts = " ".join(["'self'", *(f"'{name}'" for name in script_hashes)])
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self'",
            "img-src 'self' blob:",
            "connect-src 'self'",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), geolocation=(), microphone=()",
        "cache-control": "no-store",
    }
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}


def _name_of(host: str) -> str:
    """Return the name of `Host` without its port."""
    name = host.lower()
    return name.partition("]")[0] + "]" if name.startswith("[") else name.partition(":")[0]


def _is_foreign(headers: dict[str, str], host: str, scope: Scope) -> bool:
    """Whether a browser says that another site is behind the request."""
    site = headers.get("sec-fetch-site", "none")
    if site not in {"none", "same-origin"}:
        # A link on another page may open this one, but nothing of it may be loaded from there.
        opens_page = (
            scope["method"] == "GET"
            and headers.get("sec-fetch-mode") == "navigate"
            and headers.get("sec-fetch-dest") == "document"
            and not scope["path"].startswith("/api/")
        )
        if not opens_page:
            return True
    origin = headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() != host.lower()


def _cookie(text: str, name: str) -> str:
    try:
        found = SimpleCookie(text).get(name)
    except CookieError:
        return ""
    return "" if found is None else str(found.value)


def _token_of_query(scope: Scope) -> str:
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("token", [""])[0]


def _limited(receive: Receive) -> Receive:
    """Cut bodies that are longer than they say, or do not say how long they are."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > _MAX_BODY_BYTES:
            return {"type": "http.disconnect"}
        return message

    return limited


async def _answer(send: Send, status: int, fault: Fault) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": msgspec.json.encode(fault)})


async def _redirect(send: Send, location: str, cookie: str) -> None:
    headers = [(b"location", location.encode("latin-1", "replace")), (b"set-cookie", cookie.encode())]
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
