"""The responses of faults, as a site or a gateway in front of it sends them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from jira_sandbox.faults.source import FaultKind, is_write

if TYPE_CHECKING:
    from jira_sandbox.faults.source import Fault

    Headers = Mapping[str, str]

_BURST: Final = "jira-burst-based"
_ON_WRITE: Final = "jira-per-issue-on-write"
_QUOTA: Final = "jira-quota-tenant-based"


def fault_response(
    fault: Fault, *, method: str, path: str, now: datetime, retry_within: int
) -> Response:
    """Return the response of a fault that has one."""
    wait = min(retry_within, 1 + fault.turn // 8 % max(retry_within, 1))
    if fault.kind is FaultKind.TOO_MANY:
        shapes = _too_many(now, wait, on_issue=is_write(method, path))
    else:
        shapes = _SHAPES[fault.kind](now, wait)
    return shapes[fault.turn % len(shapes)]


def _too_many(now: datetime, wait: int, *, on_issue: bool) -> list[Response]:
    """Return the variants of status 429; Jira adds the ``Beta-`` headers during trials."""
    reset = (now.astimezone(UTC) + timedelta(seconds=wait + 59)).replace(second=0)
    full = {
        "X-RateLimit-Limit": "350",
        "X-RateLimit-Remaining": "0",
        "X-RateLimit-Reset": f"{reset:%Y-%m-%dT%H:%M:00Z}",
    }
    burst, quota = {"RateLimit-Reason": _BURST}, {"RateLimit-Reason": _QUOTA}
    here = {"RateLimit-Reason": _ON_WRITE} if on_issue else burst
    after = {"Retry-After": str(wait)}
    beta = {
        "Beta-RateLimit-Policy": f'"{_BURST}";q=100;w=1',
        "Beta-RateLimit": f'"{_BURST}";r=0;t={wait}',
        "Beta-Retry-After": str(wait),
        "X-Beta-RateLimit-Limit": "400",
        "X-Beta-RateLimit-Remaining": "0",
        "X-Beta-RateLimit-Reset": f"{reset:%Y-%m-%dT%H:%MZ}",
        "X-Beta-RateLimit-NearLimit": "true",
        "X-Beta-RateLimit-Reason": _QUOTA,
    }
    words = "Rate limit exceeded."
    return [
        _json(429, words, full | burst | after),
        _json(429, words, full | here | after),
        _empty(429, full | burst),
        _json(429, words, full | here | beta),
        _html(429, "Too Many Requests", after),
        _json(429, words, full | quota | after | {"X-RateLimit-NearLimit": "true"}),
    ]


def _internal(_now: datetime, _wait: int) -> list[Response]:
    return [
        _json(500, "Internal server error", {}),
        _empty(500, {}),
        _html(500, "Oops, you've found a dead link", {}),
    ]


def _bad_gateway(_now: datetime, _wait: int) -> list[Response]:
    return [_html(502, "Bad Gateway", {}), _empty(502, {})]


def _unavailable(now: datetime, wait: int) -> list[Response]:
    until = format_datetime(now.astimezone(UTC) + timedelta(seconds=wait), usegmt=True)
    return [
        _html(503, "Service Unavailable", {"Retry-After": str(wait)}),
        _html(503, "Service Unavailable", {}),
        _json(503, "Jira is being upgraded.", {"Retry-After": until}),
    ]


def _instead(_now: datetime, _wait: int) -> list[Response]:
    lying = _html(200, "Log in to continue", {})
    lying.headers["content-type"] = "application/json;charset=UTF-8"
    return [_html(200, "Log in to continue", {}), lying]


def _refused(_now: datetime, _wait: int) -> list[Response]:
    """Return refusals, by Jira or by a gateway, of a request that was carried out."""
    return [
        _html(302, "Found", {"Location": "https://gateway.example.com/login"}),
        _json(400, "The workflow refused it.", {}),
        _json(403, "You do not have the permission.", {}),
        _html(403, "Blocked", {}),
        _json(404, "No project could be found.", {}),
        _json(409, "The issue is being changed.", {}),
        _json(410, "The interface is gone.", {}),
        _html(413, "Request Entity Too Large", {}),
        _json(429, "Rate limit exceeded.", {}),
        _json(429, "Rate limit exceeded.", {"Retry-After": "1"}),
    ]


_SHAPES: Final[Mapping[FaultKind, Callable[[datetime, int], list[Response]]]] = {
    FaultKind.INTERNAL: _internal,
    FaultKind.BAD_GATEWAY: _bad_gateway,
    FaultKind.UNAVAILABLE: _unavailable,
    FaultKind.HTML: _instead,
    FaultKind.REFUSED: _refused,
}


def _json(status: int, words: str, headers: Headers) -> Response:
    text = json.dumps({"errorMessages": [words], "errors": {}})
    return Response(text, status, {**headers, "content-type": "application/json;charset=UTF-8"})


def _html(status: int, title: str, headers: Headers) -> Response:
    text = f"<!DOCTYPE html>\n<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>\n"
    return Response(text, status, dict(headers), "text/html")


def _empty(status: int, headers: Headers) -> Response:
    return Response(b"", status, dict(headers))
