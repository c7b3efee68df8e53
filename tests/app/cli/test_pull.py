"""Test what ``ticketr pull`` prints of names and texts from Jira."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fakes.processes import environment, sandbox_process, ticketr

from ticketr.app.cli.report import print_pull
from ticketr.app.sync import PullResult
from ticketr.app.tickets import parse

HOSTILE = "a\x1b[2J\x9b2Kb\u202e.md"


def test_what_jira_found_and_did_not_give_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    print_pull(PullResult(total=1, new=1, left_out=("10010", "10009")), prune=False)
    assert capsys.readouterr().err.splitlines()[-1] == (
        "left out, since Jira found them and did not give them: issues 10009, 10010; "
        "the next pull asks for them again"
    )


@pytest.mark.parametrize("query", ["", "  "])
def test_an_empty_query_is_wrong_usage(query: str, tmp_path: Path) -> None:
    ended = ticketr("pull", "--jql", query, folder=tmp_path)

    assert ended.returncode == 2
    assert "'--jql': the query is empty" in ended.stderr


def test_a_hostile_file_name_reaches_no_terminal(tmp_path: Path) -> None:
    with sandbox_process(tickets=10) as url:
        ticketr("pull", folder=tmp_path, env=environment(url))
        path = next(tmp_path.glob("*.md"))
        edited = path.rename(tmp_path / HOSTILE)
        key = parse(edited.read_text()).tickets[0].key
        edited.write_text(f"# TICKET: [{key}] Mine\n")
        shutil.rmtree(tmp_path / ".ticketr")  # so it is not known which side has changed
        told = ticketr("pull", "--full", folder=tmp_path, env=environment(url))
        listed = ticketr("pull", "--full", "--json", folder=tmp_path, env=environment(url))

    assert (told.returncode, listed.returncode) == (3, 3)
    assert f"conflict: {key} (ab.md): changed here and in Jira: {key}: Title, " in told.stderr
    assert told.stderr.replace("\n", "").isprintable()
    assert listed.stdout.isascii()
    (conflict,) = json.loads(listed.stdout)["conflicts"]
    assert conflict["path"] == HOSTILE


def test_a_folder_is_free_for_another_site_until_it_holds_a_ticket(tmp_path: Path) -> None:
    with sandbox_process(tickets=10) as url, sandbox_process(tickets=12) as other:
        unheard = ticketr("pull", folder=tmp_path, env=environment("http://127.0.0.1:1"))
        mistaken = ticketr("pull", "-p", "NOPE", folder=tmp_path, env=environment(url))
        pulled = ticketr("pull", folder=tmp_path, env=environment(other))
        refused = ticketr("pull", folder=tmp_path, env=environment(url))

    codes = [each.returncode for each in (unheard, mistaken, pulled, refused)]
    assert codes == [1, 1, 0, 1]
    assert "cannot reach 127.0.0.1:1" in unheard.stderr
    assert f"--project is NOPE: there is no such project at {url}, or " in mistaken.stderr
    assert "12 new" in pulled.stderr
    assert f"holds tickets of {other}, not of {url}: correct the address, or " in refused.stderr
