"""Test ``ticketr sync`` and ``pull``: output, keys, terminals, and servers that are not Jira Cloud."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pyte
import pytest
import trio
from fakes.held_sandbox import Hold
from fakes.jira_raw import Answer, RawSite, raw_site, reply
from fakes.processes import (
    PROGRAM,
    PUSH_KEYS,
    environment,
    make_workspace,
    sandbox_thread,
    ticketr,
)
from fakes.ptys import Pty, job_on_pty
from fakes.pulls import Recorder
from fakes.users import User, ticketr_here

from jira_sandbox import create_app
from ticketr.app.cli.job_runner import print_pull
from ticketr.app.jira.transport import AsksMissing
from ticketr.app.sync import PullResult
from ticketr.app.tickets import parse

LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Log in - Jira</title></head></html>"
LOST_PAGE = b"<!doctype html><html><head><title>HTTP Status 404</title></head></html>"


@dataclass
class DataCenter:
    """A site; only version 2 of the REST API exists there.

    Attributes:
        version: Jira's version.
        path: The context path, such as ``/jira``.
        takes_login: Whether it accepts the login; else it answers 401 with the login page.
        paths: The path of each request.
        with_login: The paths of the requests that had a login.
        url: The address of the machine, without the context path.
    """

    version: str = "9.12.4"
    path: str = ""
    takes_login: bool = True
    paths: list[str] = field(default_factory=list)
    with_login: list[str] = field(default_factory=list)
    url: str = ""

    def answer(self, path: str) -> tuple[int, str, bytes, dict[str, str]]:
        """Return the status, the kind, the body and further headers of the answer to a path."""
        api = f"{self.path}/rest/api/"
        if path == f"{api}2/serverInfo":
            info = {
                "baseUrl": f"{self.url}{self.path}",
                "version": self.version,
                "versionNumbers": [int(part) for part in self.version.split(".")],
                "deploymentType": "Server",
                "buildNumber": 9120004,
                "serverTitle": "Jira",
            }
            return 200, "application/json;charset=UTF-8", json.dumps(info).encode(), {}
        if path.startswith(api) and not self.takes_login:
            reason = {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
            return 401, "text/html;charset=UTF-8", LOGIN_PAGE, reason
        return 404, "text/html;charset=utf-8", LOST_PAGE, {}


@contextmanager
def data_center(site: DataCenter) -> Generator[str]:
    """Run a site on a free port; yield the address of its machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            path = self.path.partition("?")[0]
            site.paths.append(path)
            if self.headers.get("authorization"):
                site.with_login.append(path)
            status, kind, body, more = site.answer(path)
            self.send_response(status)
            for name, value in {"Content-Type": kind, **more}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_GET  # noqa: N815 - the names of the base class

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site.url = f"http://127.0.0.1:{server.server_port}"
        serve = partial(server.serve_forever, poll_interval=0.02)
        thread = threading.Thread(target=serve)  # noqa: TID251 - the tests that use it are synchronous
        thread.start()
        try:
            yield site.url
        finally:
            server.shutdown()
            thread.join()


PULL = {
    "total",
    "new",
    "updated",
    "merged",
    "unchanged",
    "in_conflict",
    "left_alone",
    "kept",
    "conflicts",
    "failed",
    "inexact",
    "gone",
    "left_out",
    "pruned",
    "prunable",
    "brought_forward",
    "recovered",
}
SETTLE = "ticketr resolve DEMO-9 --take mine, jira or both"
DELETED = "it was deleted in Jira, or you may no longer see it"


def clash(someone: User, key: str = "DEMO-9") -> None:
    someone.retitles(key, "Mine")
    someone.site.edit(key, summary="Theirs")


def test_pull_and_push_are_both_reported(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.edit("DEMO-1", summary="Theirs")

    told = someone.runs("sync")

    assert (told.code, told.out) == (0, "")
    assert told.err.splitlines()[-2:] == [
        "0 new, 1 updated, 11 unchanged",
        "0 created, 1 updated (DEMO-9)",
    ]
    assert someone.reads("DEMO-1.md").title == "Theirs"
    assert someone.finds("DEMO-9").summary == "Mine"


def test_json_has_both_halves_with_the_keys_of_each(someone: User) -> None:
    told = someone.runs("sync", "--json").json

    assert told.keys() == {"status", "message", "folder", "pull", "push"}
    assert told["pull"].keys() == PULL
    assert told["push"].keys() == PUSH_KEYS
    assert someone.runs("pull", "--json").json.keys() == PULL | {"status", "message", "folder"}


def test_a_conflict_ends_with_3_and_the_last_line_says_what_to_do(someone: User) -> None:
    someone.runs("pull")
    clash(someone)

    told = someone.runs("sync")

    assert told.code == 3
    assert told.err.splitlines()[-5:] == [
        "Sync complete: 11 tickets pulled, 0 pushed, 1 in conflict",
        "0 new, 0 updated, 11 unchanged, 1 in conflict",
        "conflict: DEMO-9 (DEMO-9.md): changed here and in Jira: DEMO-9: Title",
        "0 created, 0 updated",
        f"to resolve a conflict: ticketr diff DEMO-9; {SETTLE}",
    ]
    assert someone.runs("pull").code == 3
    (conflict,) = someone.runs("sync", "--json").json["pull"]["conflicts"]
    assert conflict == {
        "key": "DEMO-9",
        "path": "DEMO-9.md",
        "reason": "changed here and in Jira: DEMO-9: Title",
        "code": "conflict",
        "title": "",
        "line": None,
    }


def test_a_deleted_ticket_is_reported_with_the_command_that_moves_it_away(someone: User) -> None:
    someone.runs("pull")
    someone.site.delete("DEMO-9")

    kept, pruned = someone.runs("sync"), someone.runs("sync", "--prune")

    assert (kept.code, pruned.code) == (0, 0)
    assert kept.err.splitlines()[-3:-1] == [
        f"gone from Jira's answer, kept here: DEMO-9 (DEMO-9.md): {DELETED}",
        "to move the files of deleted tickets away: ticketr pull --prune",
    ]
    assert pruned.err.splitlines()[-2] == "moved to .ticketr/trash: DEMO-9"
    assert "DEMO-9.md" not in someone.files()


@pytest.mark.parametrize("command", ["pull", "push", "sync"])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--http", "curl"], "'curl' is not one of 'httpx', 'asks'"),
        (["--nonsense"], "No such option"),
        (["-w", "nowhere"], "nowhere"),
    ],
)
def test_wrong_usage_ends_with_2_and_sends_no_request(
    someone: User, command: str, options: list[str], words: str
) -> None:
    told = someone.runs(command, *options)

    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert someone.asked == []


@pytest.mark.parametrize("command", ["pull", "sync"])
def test_a_strategy_that_there_is_not_is_wrong_usage(someone: User, command: str) -> None:
    told = someone.runs(command, "--strategy", "yours")

    assert (told.code, told.out) == (2, "")
    assert "'yours' is not one of 'mine', 'jira', 'both'" in told.err
    assert someone.asked == []


def test_ctrl_c_stops_a_sync_with_130_and_the_count(tmp_path: Path) -> None:
    command = [*PROGRAM, "sync", "--folder", str(tmp_path)]
    with (
        sandbox_thread(tickets=700, holds=[Hold(tmp_path / "never")]) as url,
        job_on_pty(command, size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"[1-9]\d*% \(\d+/700\) Pulling tickets")
        pty.type("\x03")
        pty.wait_for(r"Cancelled: \d+/700 tickets pulled")
        assert pty.wait_for_end() == 130


def test_asks_can_speak_http(tmp_path: Path) -> None:
    command = [*PROGRAM, "pull", "--folder", str(tmp_path), "--http", "asks"]
    with (
        sandbox_thread(tickets=30) as url,
        job_on_pty(command, size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for("30 new, 0 updated, 0 unchanged")
        assert pty.wait_for_end() == 0

    assert len(list(tmp_path.glob("*.md"))) > 10


def test_without_asks_choosing_it_is_wrong_usage(tmp_path: Path) -> None:
    # Is found before the real package and hides it.
    (tmp_path / "asks.py").write_text("raise ModuleNotFoundError(\"No module named 'asks'\")\n")
    env = environment("http://127.0.0.1:9") | {"PYTHONPATH": str(tmp_path)}

    ended = ticketr("pull", "--http", "asks", "--json", folder=tmp_path, env=env)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "asks cannot be used (No module named 'asks')" in ended.stderr


class TooOld(Recorder):
    """A transport on an anyio that does not work with the current Trio; opening it fails."""

    async def __aenter__(self) -> Self:
        await trio.lowlevel.checkpoint()
        raise AsksMissing("anyio 3 does not run on Trio")


def test_an_asks_that_cannot_be_opened_is_wrong_usage_too(someone: User) -> None:
    someone.connect = lambda: TooOld(create_app(someone.site))

    told = someone.runs("pull", "--http", "asks", "--json")

    assert (told.code, told.json["error"]) == (2, "AsksMissing")
    assert "anyio 3 does not run on Trio" in told.json["message"]


def test_to_prune_is_suggested_only_where_it_would_move_something(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.site.delete("DEMO-9")

    edited = someone.runs("pull")
    someone.site.delete("DEMO-3")

    assert "--prune" not in edited.err
    assert "it was edited here" in edited.err
    assert someone.runs("pull").err.splitlines()[-1].endswith("ticketr pull --prune")


HOSTILE = "a\x1b[2J\x9b2Kb\u202e.md"


def test_what_jira_found_and_did_not_give_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_pull(PullResult(total=1, new=1, left_out=("10010", "10009")), prune=False)
    assert capsys.readouterr().err.splitlines()[-1] == (
        "left out, since Jira found them and did not give them: issues 10009, 10010; "
        "the next pull asks for them again"
    )


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_is_wrong_usage(query: str, tmp_path: Path) -> None:
    env = environment("http://127.0.0.1:9")
    ended = ticketr_here("pull", "--jql", query, folder=tmp_path, env=env)

    assert ended.returncode == 2
    assert "the query is empty" in ended.stderr


def test_a_hostile_file_name_reaches_no_terminal(tmp_path: Path) -> None:
    with sandbox_thread(tickets=10) as url:
        ticketr_here("pull", folder=tmp_path, env=environment(url))
        path = next(tmp_path.glob("*.md"))
        edited = path.rename(tmp_path / HOSTILE)
        key = parse(edited.read_text()).tickets[0].key
        edited.write_text(f"# TICKET: [{key}] Mine\n")
        shutil.rmtree(tmp_path / ".ticketr")  # so it is not known which side has changed
        told = ticketr_here("pull", "--full", folder=tmp_path, env=environment(url))
        listed = ticketr_here("pull", "--full", "--json", folder=tmp_path, env=environment(url))

    assert (told.returncode, listed.returncode) == (3, 3)
    assert f"conflict: {key} (ab.md): changed here and in Jira: {key}: Title, " in told.stderr
    assert told.stderr.replace("\n", "").isprintable()
    assert listed.stdout.isascii()
    (conflict,) = json.loads(listed.stdout)["conflicts"]
    assert conflict["path"] == HOSTILE


def test_a_folder_is_free_for_another_site_until_it_holds_a_ticket(tmp_path: Path) -> None:
    with sandbox_thread(tickets=10) as url, sandbox_thread(tickets=12) as other:
        unheard = ticketr_here("pull", folder=tmp_path, env=environment("http://127.0.0.1:1"))
        mistaken = ticketr_here("pull", "-p", "NOPE", folder=tmp_path, env=environment(url))
        pulled = ticketr_here("pull", folder=tmp_path, env=environment(other))
        refused = ticketr_here("pull", folder=tmp_path, env=environment(url))

    codes = [each.returncode for each in (unheard, mistaken, pulled, refused)]
    assert codes == [1, 1, 0, 1]
    assert "cannot reach 127.0.0.1:1" in unheard.stderr
    assert f"--project is NOPE: there is no such project at {url}, or " in mistaken.stderr
    assert "12 new" in pulled.stderr
    assert f"holds tickets of {other}, not of {url}: correct the address, or " in refused.stderr


def rows_of(pty: Pty) -> list[str]:
    """Return the rows that stay on the screen."""
    screen = pyte.Screen(100, 100)
    pyte.Stream(screen).feed(pty.output)
    assert not screen.cursor.hidden
    assert screen.cursor.x == 0
    return [row.rstrip() for row in screen.display if row.strip()]


def pull(folder: Path, *options: str) -> list[str]:
    return [*PROGRAM, "pull", "--folder", str(folder), *options]


@pytest.mark.unmeasured
def test_a_pull_draws_one_line_and_leaves_its_outcome(tmp_path: Path) -> None:
    all_requests, rest = Hold(tmp_path / "go", path="", answered=0), Hold(tmp_path / "go on")
    with (
        sandbox_thread(tickets=300, holds=[all_requests, rest]) as url,
        job_on_pty(pull(tmp_path), size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"Connecting to Jira\.\.\. \| \d+s   ctrl\+c cancel")
        all_requests.file.touch()
        pty.wait_for(r"\[█*░*\][^\r]* \d+% \(\d+/300\) Pulling tickets \| \d+s \| ETA ")
        rest.file.touch()
        pty.wait_for(r"300 new, 0 updated, 0 unchanged\r+\n")
        assert pty.wait_for_end() == 0
        rows = rows_of(pty)

    assert re.fullmatch(r"✓ Pull complete: 300 tickets \| \d+s", rows[0])
    assert rows[1:] == ["300 new, 0 updated, 0 unchanged"]


@pytest.mark.unmeasured
def test_ctrl_c_cancels_the_pull_and_prints_the_count(tmp_path: Path) -> None:
    with (
        sandbox_thread(tickets=700, holds=[Hold(tmp_path / "never")]) as url,
        job_on_pty(pull(tmp_path), size=(100, 24), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"[1-9]\d*% \(\d+/700\) Pulling tickets")
        pty.type("\x03")
        pty.wait_for(r"Cancelled: \d+/700 tickets pulled[^\r]*\r+\n")
        assert pty.wait_for_end() == 130
        rows = rows_of(pty)

    assert len(rows) == 1
    found = re.fullmatch(r"⊘ Cancelled: (\d+)/700 tickets pulled \| \d+s", rows[0])
    assert found is not None
    assert 0 < int(found[1]) < 700


def test_plain_lines_can_be_asked_for_in_a_terminal(tmp_path: Path) -> None:
    with (
        sandbox_thread(tickets=30) as url,
        job_on_pty(pull(tmp_path, "--plain"), environ=environment(url)) as pty,
    ):
        pty.wait_for(r"30 new, 0 updated, 0 unchanged\r+\n")
        assert pty.wait_for_end() == 0

    assert "\x1b" not in pty.output
    assert "Found 30 tickets: 0/30 (0%)" in pty.output


def sent(someone: User) -> list[str]:
    """Return the requests of the last command that have changed an issue or made one."""
    return [each for each in someone.asked if each.startswith(("issue {", "issue/DEMO"))]


def test_a_push_of_named_tickets_sends_no_other(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-1", "Mine")
    someone.retitles("DEMO-2", "Mine too")
    someone.edits("DEMO-3.md", "- [DEMO-4] Translate", "- New\n- [DEMO-4] Rephrase")
    someone.writes("new.md", "# TICKET: New\n")

    plan = someone.runs("push", "--dry-run", "demo-1", "DEMO-4")
    told = someone.runs("push", "demo-1", "DEMO-4")

    assert [line for line in plan.out.splitlines() if not line.startswith(" ")] == [
        "update DEMO-1 Mine (DEMO-1.md)",
        "update DEMO-4 Rephrase the new texts (de, fr, pt-BR) (DEMO-3.md)",
    ]
    assert "left alone: 3 more that were not named" in plan.err.splitlines()
    assert told.code == 0
    assert [each.partition(" ")[0] for each in sent(someone)] == ["issue/DEMO-1", "issue/DEMO-4"]
    told = someone.runs("push", "DEMO-3")
    assert told.err.splitlines()[-1] == "1 created (DEMO-13), 0 updated"
    assert len(someone.runs("status").out.splitlines()) == 2


def test_a_pull_of_named_tickets_fetches_no_other(someone: User) -> None:
    told = someone.runs("pull", "demo-9", "DEMO-1", "DEMO-9")

    assert told.code == 0
    assert sorted(someone.files()) == ["DEMO-1.md", "DEMO-9.md"]
    assert told.err.splitlines()[-1] == "2 new, 0 updated, 0 unchanged"
    assert someone.runs("jobs", "--json").json[0]["name"] == "Pull DEMO-9, DEMO-1"


def test_a_pull_of_a_ticket_that_is_not_there_names_near_ones(someone: User) -> None:
    someone.runs("pull")

    told = someone.runs("pull", "DEMO-99", "DEMO-1")

    assert told.code == 3
    reason = "Jira does not have it, or you may not see it; did you mean DEMO-9"
    assert f"failed: DEMO-99: {reason}" in told.err
    assert "0 new, 0 updated, 1 unchanged" in told.err


@pytest.mark.parametrize("command", ["push", "status", "diff"])
def test_an_unknown_key_is_refused_with_near_ones(someone: User, command: str) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-9", "Mine")
    someone.asked.clear()

    told = someone.runs(command, "DEMO-9", "DEMO-99")

    assert (told.code, told.out, someone.asked) == (2, "", [])
    assert (
        "DEMO-99 was never pulled into this folder, nor is it in a file; did you mean DEMO-9 or DEMO-8"
        in told.err
    )


def test_keys_go_with_no_option_that_chooses_tickets(someone: User) -> None:
    for arguments in (["--all"], ["--jql", "x = 1"], ["--full"], ["--prune"]):
        assert someone.runs("pull", "DEMO-1", *arguments).code == 2
    assert someone.runs("push", "DEMO-1", "--all").code == 2
    assert someone.files() == {}


def test_a_status_of_named_tickets_lists_no_other(someone: User) -> None:
    someone.runs("pull")
    someone.retitles("DEMO-1", "Mine")
    someone.edits("DEMO-3.md", "- [DEMO-4] Translate", "- New\n- [DEMO-4] Rephrase")
    someone.writes("new.md", "# TICKET: New\n")
    (someone.root / "DEMO-2.md").unlink()
    (someone.root / "DEMO-6.md").unlink()

    told = someone.runs("status", "demo-3", "DEMO-2")

    assert [line[:23] for line in told.out.splitlines()] == [
        "edited    DEMO-4 (DEMO-",
        "draft     New (DEMO-3.m",
        "missing   DEMO-2 (DEMO-",
    ]
    data = someone.runs("status", "DEMO-4", "--json").json
    assert [each["key"] for each in data["edited"]] == ["DEMO-4"]
    assert (data["drafts"], data["missing"]) == ([], [])
    assert someone.runs("status", "DEMO-9").out == "nothing to push of DEMO-9\n"


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


ADD = ("workspace", "add")
CHECK = ("workspace", "check")
DRAFT = "# TICKET: A new one\n\n## Description\n\nText.\n"


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", [ADD, CHECK, ("pull",), ("push", "--yes"), ("sync", "--yes")])
@pytest.mark.parametrize("takes_login", [True, False], ids=["404", "401"])
def test_each_first_request_at_a_data_center_ends_with_what_it_is(
    command: tuple[str, ...], takes_login: bool, tmp_path: Path
) -> None:
    site = DataCenter(takes_login=takes_login)
    (tmp_path / "ticketr.toml").touch()
    (tmp_path / "new.md").write_text(DRAFT)
    with data_center(site) as url:
        done = ticketr_here(*command, folder=tmp_path, env=environment(url), in_workspace=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"{url} is Jira Data Center (version 9.12.4); ticketr works with Jira Cloud only"
    )
    assert "token" not in done.stderr
    assert "/rest/api/2/serverInfo" not in site.with_login


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", [ADD, CHECK, ("pull",)])
def test_an_address_where_no_jira_answers_is_told_as_one(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with data_center(DataCenter(path="/jira")) as url:
        done = ticketr_here(*command, folder=tmp_path, env=environment(url))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"no Jira answers at {url}: the address of a Jira Cloud site is like "
        "https://you.atlassian.net (with a path, such as /jira, it is Jira Data Center, which "
        "ticketr does not work with)"
    )


def test_an_epic_is_pulled_with_what_is_in_it(someone: User) -> None:
    epic = next(issue for issue in someone.site if issue.type.name == "Epic")
    inside = {issue.key for issue in someone.site if issue.parent == epic.id}

    told = someone.runs("pull", "--epic", epic.key.lower(), "--json")

    assert told.code == 0, told.err
    assert (
        {path.removesuffix(".md") for path in someone.files()} == {epic.key, *inside} != {epic.key}
    )
    for arguments in (["--jql", "key = DEMO-1"], ["DEMO-1"]):
        assert someone.runs("pull", "--epic", epic.key, *arguments).code == 2
    assert "nonsense is not a key" in someone.runs("pull", "--epic", "nonsense").err


def test_what_is_blocked_is_found_by_a_name_that_everybody_has(someone: User) -> None:
    told = someone.runs("pull", "--jql", "@blocked", "--json")

    assert told.code == 0, told.err
    assert set(someone.files()) == {
        f"{issue.key}.md"
        for issue in someone.site
        if issue.resolution is None
        and any(link.kind.name == "Blocks" and link.target == issue.id for link in issue.links)
    }
