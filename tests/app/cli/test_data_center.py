"""Test that a user of a Jira Data Center, or of a wrong address, is told so in one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes.data_center import DataCenter, data_center
from fakes.processes import environment, ticketr

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
        done = ticketr(*command, folder=tmp_path, env=environment(url), in_workspace=False)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"{url} is Jira Data Center (version 9.12.4); ticketr works with Jira Cloud only"
    )
    assert "token" not in done.stderr
    assert "/rest/api/2/serverInfo" not in site.with_login


@pytest.mark.unmeasured
def test_a_data_center_below_a_context_path_is_recognised(tmp_path: Path) -> None:
    (tmp_path / "ticketr.toml").touch()
    with data_center(DataCenter("10.3.1", "/jira")) as url:
        env = environment(f"{url}/jira")
        done = ticketr(*CHECK, "--json", folder=tmp_path, env=env)

    told = json.loads(done.stdout)
    assert told["reason"] == "not_cloud"
    assert told["problem"] == (
        f"{url}/jira is Jira Data Center (version 10.3.1); ticketr works with Jira Cloud only"
    )


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", [ADD, CHECK, ("pull",)])
def test_an_address_where_no_jira_answers_is_told_as_one(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    with data_center(DataCenter(path="/jira")) as url:
        done = ticketr(*command, folder=tmp_path, env=environment(url))

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"no Jira answers at {url}: the address of a Jira Cloud site is like "
        "https://you.atlassian.net (with a path, such as /jira, it is Jira Data Center, which "
        "ticketr does not work with)"
    )
