"""Turns an HTTP response into JSON, or into the error that its status stands for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ticketr.app.jira import errors
from ticketr.app.jira.json_text import (
    MOST_VALUES,
    TooManyValues,
    objects,
    read_http_date,
    read_json,
)
from ticketr.app.jira.rate_limits import asked_to_wait, reason_of, retry_after
from ticketr.app.jira.redaction import HIDDEN

if TYPE_CHECKING:
    from ticketr.app.jira.transport.base import Response

_MESSAGE_KEYS = ("message", "error_description", "error", "errorMessage")
# Why a login was refused; the value is for one that waits for the answer to a captcha.
_LOGIN_REASON, _BLOCKED = "x-seraph-loginreason", "AUTHENTICATION_DENIED"
_LARGEST_ERROR = 256 * 1024
# How much of a server's text is read: far more than an error shows.
_LONGEST_WORDS = 8000
_MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class JsonResponse:
    """A successful answer, as JSON.

    Attributes:
        url: The requested URL.
        json: Its JSON value; None if it may be empty and is.
        date: The site's time when it answered, if the answer has it.
    """

    url: str
    json: Any
    date: datetime | None

    @classmethod
    async def read(cls, response: Response, *, empty: bool = False) -> JsonResponse:
        """Read an answer with a status of 200 to 299.

        Args:
            response: The answer.
            empty: Whether it may be empty, as the answers to most writes are.

        Raises:
            BadAnswer: It is not JSON, or not all of it.

        Cancellation:
            Takes effect between two steps of a long answer; a short one has no checkpoint.
        """
        nothing = empty and not response.body.strip()
        value = None if nothing else await _read_body(response)
        return cls(response.url, value, read_http_date(response.headers.get("date")))

    def object(self) -> Mapping[str, Any]:
        """Return the answer's JSON object."""
        if not isinstance(self.json, Mapping):
            raise self.unusable("no JSON object")
        return self.json

    def array(self, *keys: str) -> Iterator[Mapping[str, Any]]:
        """Return the objects of the answer's list, or of its list under the first of these keys."""
        anies = [self.json] if not keys else [self.object().get(key) for key in keys]
        for value in anies:
            if isinstance(value, list):
                return objects(value)
        raise self.unusable(f"no list of {keys[0]}" if keys else "no list")

    def unusable(self, problem: str) -> errors.BadAnswer:
        """Make the error for JSON of a wrong shape."""
        return errors.BadAnswer(self.url, problem)


async def _read_body(response: Response) -> Any:
    problem = _why_no_json(response)
    if problem:
        raise errors.BadAnswer(response.url, problem, passing=True)
    try:
        return await read_json(response.body)
    except TooManyValues:
        problem = f"more than {MOST_VALUES} values"
        raise errors.BadAnswer(response.url, problem, too_large=True) from None
    except RecursionError:
        raise errors.BadAnswer(response.url, "JSON nested too deeply") from None
    except json.JSONDecodeError as error:
        cut = error.pos >= len(error.doc.rstrip()) or error.msg.startswith("Unterminated")
        problem = "JSON that stops in the middle" if cut else "broken JSON"
        raise errors.BadAnswer(
            response.url, f"{problem}, at character {error.pos}", passing=True
        ) from None
    except ValueError:  # no UTF-8, or a number of thousands of digits
        raise errors.BadAnswer(response.url, "broken JSON", passing=True) from None


def raise_for_status(response: Response, redact: Callable[[str], str]) -> None:
    """Raise the error that an answer's status stands for; nothing for 200 to 299.

    Raises:
        JiraError: Of the class that fits the status.
    """
    if not 200 <= response.status < 300:
        raise _error_of(response, redact)


def _error_of(response: Response, redact: Callable[[str], str]) -> errors.JiraError:
    status = response.status
    if status < 400:
        return errors.Redirected(
            response.url, _redacted_start(response.headers.get("location", ""), redact)
        )
    messages, field_errors, is_jiras = _error_texts(response, redact)
    if status >= 500:
        wait = retry_after(response.headers)
        return errors.ServerError(response.url, status, "; ".join(messages), wait)
    if status == 429:
        wait = asked_to_wait(response.headers)
        reason = _redacted_start(reason_of(response.headers), redact)
        return errors.RateLimited(response.url, status, messages, field_errors, wait, reason)
    kind = errors.REJECTIONS.get(status, errors.Rejected)
    if status in {401, 403} and response.headers.get(_LOGIN_REASON, "") == _BLOCKED:
        kind = errors.LoginBlocked
    wait = retry_after(response.headers)
    return kind(response.url, status, messages, field_errors, wait, is_jiras)


def _why_no_json(response: Response) -> str:
    start = response.body[:64].lstrip().lower()
    if not start:
        return "an empty answer"
    if start.startswith(b"<") or "text/html" in response.headers.get("content-type", "").lower():
        return "a web page instead of JSON"
    return ""


def _error_texts(
    response: Response, redact: Callable[[str], str]
) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...], bool]:
    """Return a server's messages, its messages about fields, and whether they have Jira's form."""
    if _why_no_json(response) or len(response.body) > _LARGEST_ERROR:
        return (), (), False
    try:
        answer = json.loads(response.body)
    except (ValueError, RecursionError):
        return (_redacted_start(response.body.decode("utf-8", "replace"), redact),), (), False
    if not isinstance(answer, dict):
        return (), (), False
    listed = answer.get("errorMessages")
    messages = [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []
    if not messages:
        messages = [one for key in _MESSAGE_KEYS if isinstance(one := answer.get(key), str)][:1]
    fields = answer.get("errors")
    pairs = fields.items() if isinstance(fields, dict) else ()
    kept = [(k, v) for k, v in pairs if isinstance(v, str)][:_MOST_WORDS]
    field_errors = tuple((_redacted_start(k, redact), _redacted_start(v, redact)) for k, v in kept)
    is_jiras = bool(messages or field_errors) and not {"errorMessages", "errors"}.isdisjoint(answer)
    return tuple(_redacted_start(one, redact) for one in messages[:5]), field_errors, is_jiras


def _redacted_start(text: str, redact: Callable[[str], str]) -> str:
    """Remove secrets from the beginning of a server's text, which an error shows."""
    start = text[:_LONGEST_WORDS]
    shown = redact(start)
    if shown == start or start == text:
        return shown
    # The cut may have gone through a secret, and what is hidden makes room for what follows.
    return f"{shown.partition(HIDDEN)[0]}{HIDDEN}"
