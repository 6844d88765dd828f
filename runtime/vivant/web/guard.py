"""Guard: which pages may reach an app at all, and what they may load: Host, Origin, CSP."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vivant.loopback import is_loopback

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; connect-src 'self'; img-src 'self' blob: data:;"
    " media-src 'self' blob: mediastream:; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'self'"
)
"""Content-Security-Policy: what the page's own origin serves, pictures and sound made in the page, and nothing inline."""
POLICY_VIOLATION = 1008


class Guard:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, *, origins: Iterable[str] = (), loopback: bool = True, csp: str = CSP) -> None:
        """``loopback``: only names of this machine are taken as Host, so that no foreign name can be bound to it (DNS
        rebinding); elsewhere the certificate says who the server is. ``origins`` are further ones that may call:
        ``https://app.example``.
        """
        self._app, self._origins, self._loopback = app, frozenset(origins), loopback
        self._headers = {
            "content-security-policy": csp,
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "cross-origin" if self._origins else "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
        elif (objection := self._objection(scope)) is None:
            await self._app(scope, receive, self._with_headers(send))
        elif scope["type"] == "http":
            await PlainTextResponse(objection, 403)(scope, receive, self._with_headers(send))
        else:  # before it was accepted: HTTP 403
            await receive()
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": objection})

    def _objection(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._loopback and not is_loopback(_name_of(host)):
            return "this server is reached by the names of this machine only: localhost, 127.0.0.1, [::1]"
        if origin is None or origin in self._origins or _is_own(origin, host, scope["scheme"]):
            return None
        return "pages of other origins need to be allowed: --web-origin"

    def _with_headers(self, send: Send) -> Send:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        return sending


def _name_of(host: str) -> str:
    """Of a Host header, without its port; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_origin(text: str) -> bool:
    """As browsers write one: scheme, host and port, nothing else."""
    scheme, _, rest = text.partition("://")
    return scheme in ("http", "https") and bool(_name_of(rest)) and not set("/?#@ ") & set(rest)


def _is_own(origin: str, host: str, scheme: str) -> bool:
    return origin.lower() == f"{ {'ws': 'http', 'wss': 'https'}.get(scheme, scheme) }://{host.lower()}"
