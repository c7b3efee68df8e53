"""Numbers, dates and sizes that no Jira has: they stop at most the ticket that they are in."""

from __future__ import annotations

import json
import math
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.comments import add_comment
from fakes.pulls import Bench, Recorder
from fakes.scenes import run

from jira_sandbox import create_app, make_site
from jira_sandbox.data.catalogue import DEMO_USER
from jira_sandbox.data.parts import Attachment
from ticketr.app.jira.transport import Request, Response

ABSURD: dict[str, Any] = {
    "400 digits": 10**400,
    "minus 400 digits": -(10**400),
    "4000 digits": 10**4000,
    "infinity": math.inf,
    "minus infinity": -math.inf,
    "nan": math.nan,
    "minus one": -1,
    "half": 0.5,
    "true": True,
    "digits": "9" * 400,
    "other digits": "\u0663\u00b2",
    "year 99999": "99999-12-31T00:00:00.000+0000",
    "year 1": "0001-01-01T00:00:00.000+2359",
    "year 9999": "9999-12-31T23:59:59.999-2359",
    "no day": "2026-02-30",
    "null": None,
    "list": [],
    "object": {},
}
OPTIONS: dict[str, Any] = {
    "comments": True,
    "links": True,
    "attachments": "download",
    "fields": ("Story Points", "Due date", "Original estimate", "Sprint"),
}
KEY = "DEMO-2"
#: The keys of values that no pull reads, and of those that are always
#: replaced, not only by chance.
UNREAD = {"self", "avatarUrls", "iconUrl", "statusCategory", "timeZone", "accountType", "active"}
NUMBERS = {"size", "total", "customfield_10016", "timeoriginalestimate"}


class Absurd(Recorder):
    """Replaces a value of one issue in the answers of a site.

    Args:
        app: The sandbox's application.
        path: Where the value is in the record of the issue.
        value: The value.
    """

    def __init__(self, app: object, path: tuple[Any, ...], value: Any) -> None:
        super().__init__(app)
        self._path, self._value = path, value

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if not request.url.endswith("/issue/bulkfetch"):
            return response
        answer = json.loads(response.body)
        for issue in answer["issues"]:
            if issue["key"] == KEY:
                replace_value(issue, self._path, self._value)
        body = json.dumps(answer).encode()
        return Response(response.status, response.headers, body, response.url)


def replace_value(record: Any, path: tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        record = record[step]
    record[path[-1]] = value


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of each value that is no list and no object, outside of documents."""
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    for step, item in steps:
        if step in UNREAD or (isinstance(item, dict) and item.get("type") == "doc"):
            continue
        if isinstance(item, dict | list):
            yield from leaves(item, (*path, step))
        else:
            yield (*path, step)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return a site of six issues; one has a value in every field."""
    site = make_site(tickets=6, seed=1)
    bench = Bench(site, tmp_path_factory.mktemp("scene") / "work")
    file = Attachment(site.next_part(), DEMO_USER, "a.txt", "text/plain", 3, site.millis())
    site.attach(KEY, [(file, b"abc")])
    add_comment(bench, KEY, "Looks good")
    return bench


class Seen(Recorder):
    """Remembers the record of one issue."""

    record: Any = None

    async def send(self, request: Request) -> Response:
        response = await super().send(request)
        if request.url.endswith("/issue/bulkfetch"):
            for issue in json.loads(response.body)["issues"]:
                if issue["key"] == KEY:
                    self.record = issue
        return response


def record_of(scene: Bench, root: Path) -> Any:
    bench = Bench(scene.site, root)
    transport = Seen(create_app(bench.site))
    run(bench.pull, **OPTIONS, transport=transport)
    assert (bench.root / "attachments" / KEY / "a.txt").read_text() == "abc"
    return transport.record


def pull_absurd(scene: Bench, root: Path, path: tuple[Any, ...], value: Any) -> None:
    """Pull an issue with an absurd value; the others must arrive, and so the true one after it."""
    bench = Bench(scene.site, root)
    transport = Absurd(create_app(bench.site), path, value)

    result = run(bench.pull, **OPTIONS, transport=transport)

    keys = {issue.key for issue in bench.site}
    if path[0] in {"key", "id"} or path[:2] == ("fields", "parent"):  # it is another issue then
        keys -= {KEY, *(child.key for child in bench.site if child.parent)}
    named = {note.key for note in result.failed}
    assert keys <= {*bench.keys(), *named}, result
    assert named <= {KEY} or KEY not in keys, result
    shutil.rmtree(root)


def check_all(scene: Bench, tmp_path: Path, share: float) -> None:
    """Pull an issue once for each place and absurd value in it, or for a share of them."""
    rng = random.Random(1)
    cases = [
        (path, name)
        for path in leaves(record_of(scene, tmp_path / "work"))
        for name in ABSURD
        if path[-1] in NUMBERS or rng.random() < share
    ]
    failures: list[str] = []
    for number, (path, name) in enumerate(cases):
        try:
            pull_absurd(scene, tmp_path / str(number), path, ABSURD[name])
        except Exception as error:  # noqa: BLE001 - each case is told
            failures.append(f"{path} {name}: {error.__cause__ or error!r:.200}")

    assert failures == [], f"{len(failures)} of {len(cases)}"


def test_an_absurd_value_in_an_issue_stops_at_most_that_issue(scene: Bench, tmp_path: Path) -> None:
    check_all(scene, tmp_path, 0.01)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_an_absurd_value_anywhere_in_an_issue_stops_at_most_that_issue(
    scene: Bench, tmp_path: Path
) -> None:
    check_all(scene, tmp_path, 1.0)
