"""Test the log for support: what it holds, what it never holds, and where it is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from fakes.processes import environment, sandbox_thread
from fakes.users import User, ticketr_here

from ticketr.app.config import SupportLog
from ticketr.app.sync import Store

LINE = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \d+ "


def logged(folder: Path) -> str:
    """Return what all files of a log hold, the oldest first."""
    files = sorted(folder.glob("ticketr.log*"), reverse=True)  # .9 to .1, and the one without
    return "".join(path.read_text(encoding="utf-8") for path in files)


def test_a_run_leaves_a_line_for_each_request_and_for_its_begin_and_end(someone: User) -> None:
    someone.runs("pull")

    lines = logged(someone.root / ".ticketr/log").splitlines()

    assert re.fullmatch(LINE + "Pull: begins", lines[0])
    assert any(re.fullmatch(LINE + r"GET myself 200 \d+ ms", line) for line in lines)
    assert any(re.fullmatch(LINE + r"POST issue/bulkfetch 200 \d+ ms", line) for line in lines)
    assert re.fullmatch(LINE + "Pull: done", lines[-1])
    assert all(re.match(LINE, line) for line in lines)
    assert len(lines) == len(someone.asked) + 2


def test_it_holds_no_text_of_a_ticket_no_email_and_no_token(someone: User) -> None:
    secret = "zq7-secret"
    someone.monkeypatch.setenv("JIRA_EMAIL", f"{secret}@example.com")
    someone.monkeypatch.setenv("JIRA_API_TOKEN", f"token-{secret}")
    someone.runs("pull")  # the login is refused
    someone.monkeypatch.setenv("JIRA_EMAIL", "demo@example.com")
    someone.monkeypatch.setenv("JIRA_API_TOKEN", "demo")
    someone.runs("pull")
    someone.retitles("DEMO-1", f"Title {secret}")
    someone.writes("a.md", f"# TICKET: {secret}\n\n## Fields\nType: {secret}\nStatus: {secret}\n")
    someone.runs("push")
    someone.runs("pull", "--jql", f'{secret} = "{secret}"')
    someone.runs("assign", "DEMO-1", "--to", secret)
    someone.runs("comment", "DEMO-1", secret)
    someone.runs("bulk", "--jql", f'summary ~ "{secret}"', "--set", f"Summary={secret}", "--yes")

    text = logged(someone.root / ".ticketr/log")

    assert "Push: begins" in text
    assert "PUT issue/{}" in text
    assert re.search(r"Pull: failed: .*AuthenticationFailed at .*py:\d+", text)
    assert secret not in text
    assert "demo" not in text.lower().replace(str(someone.root).lower(), "")


def test_a_retry_and_a_lost_connection_are_told(tmp_path: Path) -> None:
    env = environment("http://127.0.0.1:9")
    told = ticketr_here("pull", folder=tmp_path, env=env)

    text = logged(tmp_path / ".ticketr/log")

    assert told.returncode == 1
    assert re.search(r"GET myself ConnectFailed \d+ ms, attempt 3\n", text)
    assert "ConnectFailed at" in text
    assert "refused" not in text


def test_the_variable_names_another_folder(tmp_path: Path) -> None:
    work, logs = tmp_path / "work", tmp_path / "logs/inner"
    work.mkdir()
    with sandbox_thread(tickets=1) as url:
        env = environment(url, TICKETR_LOG_DIR=str(logs))
        assert ticketr_here("pull", folder=work, env=env).returncode == 0

    assert "Pull: done" in logged(logs)
    assert not (work / ".ticketr/log").exists()
    assert (logs / "ticketr.log").stat().st_mode & 0o777 == 0o600


def test_ten_files_at_most_are_kept(tmp_path: Path) -> None:
    log = SupportLog(tmp_path, {})
    for number in range(7_000):
        log.write_unredacted("%d %s", number, "x" * 1_000)
    log.close()

    files = sorted(path.name for path in (tmp_path / ".ticketr/log").iterdir())
    assert files == ["ticketr.log", *(f"ticketr.log.{number}" for number in range(1, 10))]
    assert max(path.stat().st_size for path in (tmp_path / ".ticketr/log").iterdir()) <= 512 * 1024
    assert logged(tmp_path / ".ticketr/log").splitlines()[-1].split()[3] == "6999"


@pytest.mark.parametrize("name", [".ticketr", ".ticketr/log", ".ticketr/log/ticketr.log"])
def test_nothing_is_written_through_a_link(tmp_path: Path, name: str) -> None:
    root, target = tmp_path / "root", tmp_path / "target"
    path = root / name
    path.parent.mkdir(parents=True)
    is_file = name.endswith("ticketr.log")
    target.touch() if is_file else target.mkdir()
    path.symlink_to(target)

    log = SupportLog(root, {})
    log.write_unredacted("a line")
    log.close()

    assert log.path is None
    assert target.read_text() == "" if is_file else [*target.iterdir()] == []


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_without_a_place_for_it_a_job_runs_all_the_same(someone: User, make: object) -> None:
    (someone.root / ".ticketr/log").mkdir(parents=True)
    assert callable(make)
    make(someone.root / ".ticketr/log/ticketr.log")

    assert someone.runs("pull").code == 0


def test_a_full_disk_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = SupportLog(tmp_path, {})
    assert log.path is not None
    (tmp_path / ".ticketr/log/ticketr.log.8").touch()
    (tmp_path / ".ticketr/log/ticketr.log.9").mkdir()  # it cannot be replaced: the rotation fails
    for _ in range(700):
        log.write_unredacted("%s", "x" * 1_000)
    log.close()

    assert capsys.readouterr().err == ""
    assert log.path.stat().st_size <= 512 * 1024


def test_a_fault_of_ticketr_names_the_log(someone: User) -> None:
    someone.runs("pull")

    def broken(_: Store) -> None:
        raise RuntimeError("zq7-secret")

    someone.monkeypatch.setattr("ticketr.app.sync.workspace.store.Store.walk", broken)
    in_job = someone.runs("pull")
    outside = someone.runs("list")

    path = someone.root / ".ticketr/log/ticketr.log"
    assert (in_job.code, outside.code) == (1, 1)
    assert f"; please report it, with the log {path}" in in_job.err
    assert f"please report it with what --debug shows, and with {path}" in outside.err
    text = logged(path.parent)
    assert "RuntimeError at" in text
    assert "ticketr: failed: RuntimeError at" in text
    assert "zq7-secret" not in text
