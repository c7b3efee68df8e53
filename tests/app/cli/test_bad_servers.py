"""Test what a user sees if a server is not Jira or answers wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from fakes.jira_raw import Answer, RawSite, raw_site, reply
from fakes.processes import PROGRAM, environment, make_workspace


async def nothing(stream: trio.abc.HalfCloseableStream) -> None:
    """Close the connection without an answer."""
    await stream.aclose()


HTML = reply(b"<!doctype html><title>Welcome\x1b[2J</title>", kind="text/html")
TRUNCATED = reply(b'{"accountId": "1", "displayN')


async def pull_from(site: RawSite, folder: Path) -> tuple[int, str]:
    """Pull with the real program; return the exit code and the last line."""
    make_workspace(folder)
    ended = await trio.run_process(
        [*PROGRAM, "pull"],
        cwd=folder,
        env=environment(site.url),
        capture_stderr=True,
        check=False,
    )
    lines = ended.stderr.decode().splitlines()
    assert not any("Traceback" in line for line in lines)
    return ended.returncode, lines[-1]


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HTML, "Jira site"),
        (TRUNCATED, "JSON"),
        (reply({"errorMessages": ["Boom"]}, status=500), "500"),
        (nothing, "broke off"),
    ],
    ids=["html", "truncated", "500", "nothing"],
)
async def test_a_bad_answer_ends_with_1_and_one_line_that_names_the_site(
    answer: Answer, words: str, tmp_path: Path
) -> None:
    async with raw_site(answer) as site:
        code, line = await pull_from(site, tmp_path)

    assert code == 1
    assert line.startswith("Pull failed: ")
    assert site.url in line
    assert words in line
    assert "\x1b" not in line
    assert list(tmp_path.glob("*.md")) == []
