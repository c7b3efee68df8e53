"""A sandbox that keeps its site in a file is killed in the middle of its work, again and again."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio

from jira_sandbox import EMAIL, TOKEN

PROPERTY = "test.marker"
State = tuple[str, str, Any] | None
"""The summary, the status and the property of an issue; None for a deleted one."""


@contextmanager
def killable(data: Path) -> Generator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-P", "-m", "jira_sandbox", f"--data={data}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("listening on "), line
            yield process, line.removeprefix("listening on ").strip()
        finally:
            process.kill()


@dataclass
class Knowledge:
    """The state of the site according to the responses that the writers got.

    Attributes:
        states: The possible states of each issue: one, or two during a write.
        unanswered: The summaries of creates without a response.
    """

    states: dict[str, list[State]] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    enough: trio.Event = field(default_factory=trio.Event)
    left: int = 0

    def expect(self, writes: int) -> trio.Event:
        """Return an event that is set after so many more responses."""
        self.left, self.enough = writes, trio.Event()
        return self.enough

    def note(self) -> None:
        self.left -= 1
        if self.left <= 0:
            self.enough.set()


class Writer:
    """Writes to its own issues until it is cancelled."""

    def __init__(self, client: httpx.Client, known: Knowledge, rng: random.Random) -> None:
        self._client = client
        self._known = known
        self._rng = rng
        self._mine: list[str] = []

    async def work(self) -> None:
        while True:
            if len(self._mine) < 2 or self._rng.random() < 0.3:
                await self._create()
            else:
                await self._change(self._rng.choice(self._mine))

    async def _create(self) -> None:
        summary = f"{self._rng.random()}"
        self._known.unanswered.add(summary)
        fields = {"project": {"key": "DEMO"}, "issuetype": {"name": "Task"}, "summary": summary}
        body = {"fields": fields, "properties": [{"key": PROPERTY, "value": summary}]}
        answer = await ask(self._client, "POST", "issue", body)
        key = answer["key"]
        self._known.unanswered.discard(summary)
        assert key not in self._known.states
        self._known.states[key] = [(summary, "To Do", summary)]
        self._known.note()
        self._mine.append(key)

    async def _change(self, key: str) -> None:
        (before,) = self._known.states[key]
        assert before is not None
        after, method, path, body = self._next(key, before)
        self._known.states[key].append(after)
        await ask(self._client, method, path, body)
        self._known.states[key] = [after]
        self._known.note()
        if after is None:
            self._mine.remove(key)

    def _next(self, key: str, before: State) -> tuple[State, str, str, Any]:
        assert before is not None
        summary, status, value = before
        new = f"{self._rng.random()}"
        step = {"To Do": ("11", "In Progress"), "In Progress": ("41", "To Do")}[status]
        return self._rng.choice(
            [
                ((new, status, value), "PUT", f"issue/{key}", {"fields": {"summary": new}}),
                ((summary, status, new), "PUT", f"issue/{key}/properties/{PROPERTY}", new),
                (
                    (summary, step[1], value),
                    "POST",
                    f"issue/{key}/transitions",
                    {"transition": {"id": step[0]}},
                ),
                (None, "DELETE", f"issue/{key}", None),
            ]
        )


def client_of(url: str) -> httpx.Client:
    auth = (EMAIL, TOKEN)
    base = f"{url}/rest/api/3/"
    return httpx.Client(base_url=base, auth=auth, trust_env=False, timeout=None)


async def ask(client: httpx.Client, method: str, path: str, body: Any) -> Any:
    """Send the request in a thread, since httpx's async client leaks when a connection breaks."""
    answer = await trio.to_thread.run_sync(partial(client.request, method, path, json=body))
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


async def write_until_killed(
    process: subprocess.Popen[str], client: httpx.Client, known: Knowledge, rng: random.Random
) -> None:
    async with trio.open_nursery() as nursery:

        async def work() -> None:
            try:
                await Writer(client, known, random.Random(rng.random())).work()
            except httpx.TransportError:
                assert process.wait() == -9

        for _ in range(3):
            nursery.start_soon(work)
        await known.expect(rng.randrange(40)).wait()
        await trio.sleep(rng.random() * 0.01)
        process.kill()


async def read_all(client: httpx.Client) -> dict[str, State]:
    states: dict[str, State] = {}
    query = {"jql": "project = DEMO", "maxResults": 5000}
    found = (await ask(client, "POST", "search/jql", query))["issues"]
    for start in range(0, len(found), 100):
        body = {
            "issueIdsOrKeys": [issue["id"] for issue in found[start : start + 100]],
            "fields": ["summary", "status"],
            "properties": [PROPERTY],
        }
        for issue in (await ask(client, "POST", "issue/bulkfetch", body))["issues"]:
            fields, value = issue["fields"], issue["properties"].get(PROPERTY)
            states[issue["key"]] = (fields["summary"], fields["status"]["name"], value)
    return states


def compare(known: Knowledge, found: dict[str, State]) -> None:
    """Check that the site holds the answered writes, and nothing else but unanswered ones."""
    for key, possible in known.states.items():
        assert found.get(key) in possible, key
    for key in found.keys() - known.states.keys():
        state = found[key]
        assert state is not None
        assert state[0] in known.unanswered
    known.states = {key: [found.get(key)] for key in {*found, *known.states}}
    known.unanswered.clear()


async def check_kills(rounds: int, data: Path, seed: int) -> None:
    known, rng = Knowledge(), random.Random(seed)
    for count in range(rounds + 1):
        with killable(data) as (process, url), client_of(url) as client:
            found = await read_all(client)
            if count == 0:
                known.states = {key: [state] for key, state in found.items()}
            compare(known, found)
            if count < rounds:
                await write_until_killed(process, client, known, rng)


async def test_answered_writes_survive_a_kill(tmp_path: Path) -> None:
    await check_kills(3, tmp_path / "site.db", seed=1)


@pytest.mark.stress
@pytest.mark.parametrize("seed", range(5))
async def test_answered_writes_survive_many_kills(seed: int, tmp_path: Path) -> None:
    await check_kills(40, tmp_path / "site.db", seed)
