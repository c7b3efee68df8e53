"""Test ``sync --every --cluster``: each workspace is synced by a worker that has it."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from fakes.processes import PROGRAM, environment, sandbox_process, ticketr

from ticketr.cli.workspace_jobs import WorkspaceSync
from ticketr.cli.workspace_results import WorkspaceFailed, result_as_plain, result_from_plain
from ticketr.config import CONFIRM_ABOVE
from ticketr.sync import Code, Note, PullResult, PushResult, SyncResult
from ticketr.testing import make_context

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping
    from pathlib import Path
    from subprocess import CompletedProcess

    from fakes.users import User

SECRET = {"TICKETR_CLUSTER_SECRET": "a secret of the tests"}
NO_LOGIN = {"JIRA_EMAIL": "", "JIRA_API_TOKEN": "", "JIRA_PROJECT_KEY": ""}
#: The token of the sandbox, as it is sent.
TOKEN = b64encode(b"demo@example.com:demo").decode()
NEW_TITLE = re.compile("^(# TICKET: .*)$", re.MULTILINE)


def settings(folder: Path, site: str, **workspaces: Path) -> str:
    """Make a user's config folder; return its path."""
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "config.toml").touch(mode=0o600)
    add(folder, site, **workspaces)
    return str(folder)


def add(folder: Path, site: str, **workspaces: Path) -> None:
    """Add workspaces to a user's config."""
    lines = []
    for name, root in workspaces.items():
        lines += [f"[workspaces.{name}]", f'folder = "{root}"', f'site = "{site}"']
    with (folder / "config.toml").open("a") as file:
        file.write("\n".join([*lines, ""]))


@contextmanager
def worker(url: str, env: Mapping[str, str]) -> Generator[None]:
    """Run the worker that the documentation names."""
    command = [
        *(sys.executable, "-m", "ticketr.cluster", "worker", "--url", url, "--name", "ticketr"),
        *("--lease", "60", "--grace", "0", "ticketr.cli.workspace_jobs"),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().endswith(" is ready\n")
            yield
        finally:
            process.terminate()


def run(server: Path, folder: Path, env: Mapping[str, str], *more: str) -> CompletedProcess[str]:
    """Run the command that asks the workers."""
    words = ("sync", "--every", "--cluster", f"embedded:{server}", *more)
    return ticketr(*words, folder=folder, env=env, in_workspace=False)


def test_a_worker_syncs_the_workspaces_that_it_has(tmp_path: Path) -> None:
    server, here = tmp_path / "s", tmp_path / "here"
    for each in ("here", "one", "two", "torn"):
        (tmp_path / each).mkdir()
    (tmp_path / "one" / "new.md").write_text("# TICKET: From one\n")
    (tmp_path / "torn" / "ticketr.toml").write_text("siet = 1\n")
    roots = {each: tmp_path / each for each in ("one", "two", "torn")}
    ours = settings(tmp_path / "ours", "https://acme.example", one=here, two=here)
    with sandbox_process(tickets=10) as site:
        theirs = settings(tmp_path / "theirs", site, **roots)
        theirs_env = environment(site, TICKETR_CONFIG_DIR=theirs, **SECRET)
        env = environment(**NO_LOGIN, TICKETR_CONFIG_DIR=ours, **SECRET)

        with worker(f"embedded:{server}", theirs_env):
            told = run(server, here, env)
            files = [*(tmp_path / "two").glob("*.md")]
            edited = files[0]
            edited.write_text(NEW_TITLE.sub(r"\1 From two", edited.read_text(), count=1))
            add(tmp_path / "ours", "https://acme.example", torn=here, stray=here)
            again = run(server, here, env, "--json")
            stored = b"".join(each.read_bytes() for each in server.rglob("*.aof"))

    assert (told.returncode, len(files)) == (0, 5), told.stderr
    lines = told.stderr.splitlines()
    one, two = lines.index("one:"), lines.index("two:")
    assert "created https://acme.example/browse/DEMO-11" in lines[one:two]
    assert "1 created (DEMO-11), 0 updated" in lines[one:two]
    assert lines[two + 2 :] == ["0 created, 0 updated"]
    found = json.loads(again.stdout)["workspaces"]
    assert again.returncode == 2
    assert {name: each["status"] for name, each in found.items()} == {
        "one": "completed",
        "two": "completed",
        "torn": "failed",
        "stray": "failed",
    }
    key = edited.read_text().partition("[")[2].partition("]")[0]
    page = {"key": key, "url": f"https://acme.example/browse/{key}"}
    assert found["two"]["push"]["updated"] == [page]
    assert found["torn"]["error"] == "UnknownKey"
    assert found["torn"]["message"].startswith("torn/ticketr.toml:1: unknown key 'siet'")
    assert found["stray"]["error"] == "UnknownWorkspace"
    assert found["stray"]["message"].startswith("there is no workspace 'stray'")
    assert b"Sync two" in stored
    for secret in (site, site.partition("//")[2], str(tmp_path), TOKEN, "demo@example.com"):
        assert secret.encode() not in stored


def test_ctrl_c_cancels_them_and_says_how_many(tmp_path: Path) -> None:
    for each in ("one", "two"):
        (tmp_path / each).mkdir()
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it never answers
        site = f"http://127.0.0.1:{silent.getsockname()[1]}"
        folder = settings(tmp_path / "c", site, one=tmp_path / "one", gone=tmp_path / "gone")
        env = environment(site, TICKETR_CONFIG_DIR=folder, **SECRET)
        url = f"embedded:{tmp_path / 's'}"
        with worker(url, env):
            command = [*PROGRAM, "sync", "--every", "--cluster", url]
            process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=env)
            assert process.stderr is not None
            with process:
                lines = list(until(process.stderr, "Connecting to Jira"))
                process.send_signal(signal.SIGINT)
                lines += process.stderr

    assert process.returncode == 130, lines
    assert lines[-3:] == [
        "gone: gone is not there; bring it back, or 'ticketr workspace remove' it\n",
        "one: Cancelled: no ticket pulled yet\n",
        "0 of 2 workspaces synced, 1 cancelled, 1 failed\n",
    ]


def until(lines: Iterable[str], words: str) -> Iterator[str]:
    """Read lines up to one with these words."""
    for line in lines:
        yield line
        if words in line:
            return


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "--cluster goes with --every"),
        (("--every", "-w", "one"), "use --every, or name one workspace, not both"),
        (("--every", "-p", "DEMO"), "--cluster goes with neither --project nor --http"),
        (("--every", "--http", "asks"), "--cluster goes with neither --project nor --http"),
        (("--every",), "you have added no workspace yet"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    someone: User, words: tuple[str, ...], told: str
) -> None:
    ended = someone.runs("sync", "--cluster", "embedded:s", *words)

    assert ended.code == 2
    assert told in ended.err


def test_the_url_comes_from_the_environment(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(someone.root.parent / "config", "https://acme.example", one=someone.root)
    monkeypatch.setenv("TICKETR_CLUSTER_SECRET", SECRET["TICKETR_CLUSTER_SECRET"])
    monkeypatch.delenv("TICKETR_CLUSTER_URL", raising=False)

    without = someone.runs("sync", "--every", "--cluster")
    monkeypatch.setenv("TICKETR_CLUSTER_URL", "nonsense:away")
    wrong = someone.runs("sync", "--cluster", "--every")

    assert (without.code, wrong.code) == (2, 2)
    assert "ticketr: no URL of a server: give one, such as embedded:FOLDER, or set" in without.err
    assert "write valkey://HOST:PORT/DATABASE" in wrong.err


def test_a_secret_is_needed(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TICKETR_CLUSTER_SECRET", raising=False)
    settings(someone.root.parent / "config", "https://acme.example", one=someone.root)

    ended = someone.runs("sync", "--every", "--cluster", "embedded:s")

    assert ended.code == 2
    assert "ticketr: no secret: make one by:" in ended.err


def test_the_extra_is_named(someone: User, monkeypatch: pytest.MonkeyPatch) -> None:
    settings(someone.root.parent / "config", "https://acme.example", one=someone.root)
    for each in [each for each in sys.modules if each.startswith("ticketr.cluster")]:
        monkeypatch.delitem(sys.modules, each)
    monkeypatch.setitem(sys.modules, "streaq", None)

    ended = someone.runs("sync", "--every", "--cluster", "embedded:s")

    assert ended.code == 2
    assert (
        "the cluster needs more packages: in a clone of ticketr, run: pip install '.[cluster]'"
        in ended.err
    )


async def test_many_writes_need_a_yes(someone: User) -> None:
    settings(someone.root.parent / "config", "https://acme.example", one=someone.root)
    for number in range(CONFIRM_ABOVE + 1):
        (someone.root / f"{number}.md").write_text(f"# TICKET: Draft {number}\n")
    someone.monkeypatch.setenv("JIRA_URL", "https://acme.example")

    with pytest.raises(WorkspaceFailed) as refused:
        await WorkspaceSync("one").execute(make_context())

    assert (refused.value.error, refused.value.exit_code) == ("Unconfirmed", 2)
    assert str(refused.value) == (
        "this would create or change 21 tickets; say --yes if that is what you want"
    )


async def test_a_sync_that_fails_names_no_site(someone: User) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"127.0.0.1:{closed.getsockname()[1]}"
    settings(someone.root.parent / "config", f"http://{host}", one=someone.root)
    someone.monkeypatch.setenv("JIRA_URL", f"http://{host}")
    someone.monkeypatch.setattr("ticketr.jira.retry.DELAYS", (), raising=False)

    with pytest.raises(WorkspaceFailed) as failed:
        await WorkspaceSync("one", yes=True).execute(make_context())

    assert (failed.value.error, failed.value.exit_code) == ("ConnectFailed", 1)
    assert "the site" in str(failed.value)
    assert host not in str(failed.value)
    assert failed.value.so_far["pull"]["total"] == 0


def test_a_result_comes_back_as_it_was() -> None:
    note = Note("A-1", "a.md", "both http://x/a", Code.CONFLICT)
    result = SyncResult(PullResult(total=1, conflicts=(note,)), PushResult(created=("A-2",)))
    sent = result_as_plain(result, lambda text: text.replace("http://x", "the site"))
    sent["pull"]["of a later version"] = 1

    back = result_from_plain(sent, "https://acme.example")

    assert "site" not in sent["push"]
    assert back.push == PushResult(created=("A-2",), site="https://acme.example")
    assert back.pull.conflicts == (replace(note, reason="both the site/a"),)
