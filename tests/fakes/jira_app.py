"""A site inside the process, for virtual time: it follows a script and records the requests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import trio

from ticketr.app.jira.transport._httpx import HttpxTransport

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

SITE = "http://127.0.0.1:8080"


@dataclass(frozen=True)
class Answer:
    """One answer: its body as JSON, unless it is bytes."""

    body: object = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after: float = 0.0

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Asked:
    """One request, and its time on Trio's clock."""

    method: str
    path: str
    query: str
    body: Any
    headers: Mapping[str, str]
    time: float


class ScriptedApp:
    """An ASGI application with scripted answers; the last one is repeated."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[Asked] = []

    @property
    def times(self) -> list[float]:
        """Return the time of each request, from the first one on."""
        return [asked.time - self.asked[0].time for asked in self.asked]

    def transport(
        self, *, silence_timeout: float = 30.0, max_body_bytes: int = 10**6
    ) -> HttpxTransport:
        return HttpxTransport(
            app=self, silence_timeout=silence_timeout, max_body_bytes=max_body_bytes
        )

    def answer(self, asked: Asked) -> Answer:
        """Return the next answer."""
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = Asked(
            method=scope["method"],
            path=scope["raw_path"].decode(),
            query=scope["query_string"].decode(),
            body=json.loads(body) if body else None,
            headers={name.decode(): value.decode() for name, value in scope["headers"]},
            time=trio.current_time(),
        )
        self.asked.append(asked)
        answer = self.answer(asked)
        await trio.sleep(answer.after)
        headers = {"content-type": "application/json", **answer.headers}
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": pairs})
        await send({"type": "http.response.body", "body": answer.content})


class RuledApp(ScriptedApp):
    """An ASGI application whose answers depend on the request."""

    def __init__(self, rule: Callable[[Asked], Answer]) -> None:
        super().__init__()
        self._rule = rule

    def answer(self, asked: Asked) -> Answer:
        return self._rule(asked)
