"""Test commands on several workspaces: one job each, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.processes import environment, sandbox_process, ticketr


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    return {"TICKETR_CONFIG_DIR": str(tmp_path / "config")}


def add(tmp_path: Path, url: str, *names: str) -> None:
    """Add workspaces to the user's config, as `workspace add` would."""
    config = tmp_path / "config"
    config.mkdir(mode=0o700)
    lines = []
    for name in names:
        (tmp_path / name).mkdir()
        lines += [f"[workspaces.{name}]", f'folder = "{tmp_path / name}"', f'site = "{url}"']
    path = config / "config.toml"
    path.touch(mode=0o600)
    path.write_text("\n".join([*lines, ""]))


def test_every_workspace_is_synced_and_reported_by_its_name(
    tmp_path: Path, env: dict[str, str]
) -> None:
    with sandbox_process(tickets=10) as url:
        add(tmp_path, url, "one", "two")
        (tmp_path / "one" / "new.md").write_text("# TICKET: From one\n")
        ran = environment(url, **env)

        told = ticketr("sync", "--every", folder=tmp_path, env=ran)
        listed = ticketr("sync", "--every", "--json", folder=tmp_path, env=ran)
        jobs = ticketr("jobs", "-w", "one", "--json", folder=tmp_path, env=ran)

    assert told.returncode == listed.returncode == 0, told.stderr
    lines = told.stderr.splitlines()
    assert lines.index("one:") < lines.index("two:")
    assert "1 created (DEMO-11)" in told.stderr
    found = json.loads(listed.stdout)["workspaces"]
    assert {name: each["pull"]["total"] for name, each in found.items()} == {"one": 11, "two": 11}
    assert {each["key"] for each in json.loads(jobs.stdout)} == {str(tmp_path / "one")}


def test_one_that_fails_stops_no_other(tmp_path: Path, env: dict[str, str]) -> None:
    with sandbox_process(tickets=10) as url:
        add(tmp_path, url, "one", "two")
        (tmp_path / "one" / "ticketr.toml").write_text('[fields]\nTeam = "customfield_99999"\n')

        ended = ticketr("pull", "--every", "--json", folder=tmp_path, env=environment(url, **env))

    assert ended.returncode == 1
    found = json.loads(ended.stdout)["workspaces"]
    assert (found["one"]["status"], found["one"]["error"]) == ("failed", "UnknownField")
    assert 'the ID of "Team" is that of no field' in found["one"]["message"]
    assert (found["two"]["status"], found["two"]["total"]) == ("completed", 10)


def test_one_that_cannot_begin_stops_no_other(tmp_path: Path, env: dict[str, str]) -> None:
    with sandbox_process(tickets=10) as url:
        add(tmp_path, url, "broken", "fine", "gone", "torn")
        (tmp_path / "broken" / "ticketr.toml").write_text("siet = 1\n")
        (tmp_path / "gone").rmdir()
        command = '[workspaces.torn]\ntoken_command = ["false"]'
        config = tmp_path / "config" / "config.toml"
        config.write_text(config.read_text().replace("[workspaces.torn]", command))
        ran = environment(url, **env) | {"JIRA_URL": "", "JIRA_API_TOKEN": ""}
        command = '\nemail = "demo@example.com"\ntoken_command = ["echo", "demo"]'
        config.write_text(config.read_text().replace('/fine"', f'/fine"{command}'))

        told = ticketr("pull", "--every", folder=tmp_path, env=ran)
        listed = ticketr("sync", "--every", "--json", folder=tmp_path, env=ran)

    assert (told.returncode, listed.returncode) == (2, 2), told.stderr
    assert "fine:\n10 new" in told.stderr
    assert f"broken: {tmp_path}/broken/ticketr.toml:1: unknown key 'siet'" in told.stderr
    assert f"gone: {tmp_path}/gone is not there" in told.stderr
    assert "\ntorn: " in told.stderr
    found = json.loads(listed.stdout)["workspaces"]
    assert found["fine"]["status"] == "completed"
    assert {name: each["error"] for name, each in found.items() if "error" in each} == {
        "broken": "UnknownKey",
        "gone": "FolderGone",
        "torn": "TokenFailed",
    }
    assert {each["status"] for name, each in found.items() if name != "fine"} == {"failed"}


def test_if_no_workspace_can_start_all_are_reported(tmp_path: Path, env: dict[str, str]) -> None:
    add(tmp_path, "https://acme.example", "gone")
    (tmp_path / "gone").rmdir()

    ended = ticketr("push", "--every", folder=tmp_path, env=environment(**env))

    words = "is not there; bring it back, or 'ticketr workspace remove' it"
    assert (ended.returncode, ended.stderr) == (2, f"gone: {tmp_path}/gone {words}\n")


def test_every_workspace_or_one_but_not_both(tmp_path: Path, env: dict[str, str]) -> None:
    both = ticketr("pull", "--every", "-w", "x", folder=tmp_path, env=environment(**env))
    none = ticketr("pull", "--every", folder=tmp_path, env=environment(**env))

    assert (both.returncode, none.returncode) == (2, 2)
    assert "use --every, or name one workspace, not both" in both.stderr
    assert "you have added no workspace yet" in none.stderr
