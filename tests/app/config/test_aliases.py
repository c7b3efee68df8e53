from __future__ import annotations

from pathlib import Path

import pytest

from ticketr.app.config import (
    BUILT_IN,
    BadFile,
    BadSetting,
    expand_aliases,
    read_user_config,
    read_workspace_file,
    remove_alias,
    resolve_workspace,
    store_alias,
)

ALIASES = {
    "team": "project = A AND @open",
    "open": "resolution = EMPTY",
    "late": "due < now() ORDER BY due",
    "note": 'text ~ "order by @open"',
    "loop": "@pool",
    "pool": "x = 1 OR @loop",
    "lost": "@tema",
}


def expanded(query: str) -> str:
    return expand_aliases("--jql", query, ALIASES)


@pytest.mark.parametrize(
    ("query", "result"),
    [
        ("project = A", "project = A"),
        ("@open", "resolution = EMPTY"),
        (" @late ", "due < now() ORDER BY due"),
        ("@team", "project = A AND (resolution = EMPTY)"),
        ("NOT @team ORDER BY key", "NOT (project = A AND (resolution = EMPTY)) ORDER BY key"),
        ("(@open)OR @open", "((resolution = EMPTY))OR (resolution = EMPTY)"),
        ("x = \"@open\" OR y = '@open'", "x = \"@open\" OR y = '@open'"),
        (r'x = "a\"@open" AND @open', r'x = "a\"@open" AND (resolution = EMPTY)'),
        ("x = mia@open.example", "x = mia@open.example"),
        ("@note AND y = 1", '(text ~ "order by @open") AND y = 1'),
    ],
)
def test_an_alias_stands_for_its_query(query: str, result: str) -> None:
    assert expanded(query) == result


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("@openn", "--jql is '@openn': there is no such alias; did you mean @open? (see 'ticketr"),
        ("x = 1 AND @lost", "'@tema': there is no such alias; did you mean @team?"),
        ("@nothing-like-it", "there is no such alias (see 'ticketr alias')"),
        ("@loop", "'@loop': the alias stands for itself (@loop > @pool > @loop)"),
        ("x = 1 OR @pool", "the alias stands for itself (@pool > @loop > @pool)"),
        (
            "x = 1 AND @late",
            "it ends in ORDER BY (due < now() ORDER BY due), so it cannot be a part",
        ),
    ],
)
def test_what_cannot_be_replaced_is_refused(query: str, problem: str) -> None:
    with pytest.raises(BadSetting) as caught:
        expanded(query)

    assert problem in str(caught.value)


def test_aliases_that_double_each_other_end_in_an_error() -> None:
    doubling = {f"a{n}": f"@a{n + 1} OR @a{n + 1}" for n in range(40)} | {"a40": "x = 1"}

    with pytest.raises(BadSetting, match="longer than"):
        expand_aliases("--jql", "@a0", doubling)


def test_the_users_aliases_are_kept_in_the_users_config(folder: Path) -> None:
    store_alias(folder, "bugs", "type = Bug")
    store_alias(folder, "mine", "assignee = me")
    store_alias(folder, "bugs", 'type = "Bug"')

    assert read_user_config(folder).aliases == {"bugs": 'type = "Bug"', "mine": "assignee = me"}
    assert remove_alias(folder, "bugs")
    assert not remove_alias(folder, "bugs")
    assert remove_alias(folder, "mine")
    assert "aliases" not in (folder / "config.toml").read_text()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('"a b" = "x = 1"', "letters, digits, '-' and '_' alone"),
        ('a = ""', "the query is empty"),
        ("a = 1", "text in quotes"),
    ],
)
def test_a_wrong_alias_is_refused_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    (tmp_path / "ticketr.toml").write_text(f"[aliases]\n{line}\n")

    with pytest.raises((BadFile, BadSetting)) as caught:
        read_workspace_file(tmp_path)

    assert problem in str(caught.value)
    assert "ticketr.toml:2" in str(caught.value)


def test_the_users_alias_goes_before_the_teams_which_changes_no_built_in_one(
    folder: Path, tmp_path: Path
) -> None:
    store_alias(folder, "ours", "project = B")
    file = 'jql = "@ours AND @recent AND @mine"\n[aliases]\nours = "project = A"\nmine = "x = 1"\n'
    (tmp_path / "ticketr.toml").write_text(file)

    found = resolve_workspace({"TICKETR_CONFIG_DIR": str(folder)}, tmp_path)

    assert found.jql == f"(project = B) AND ({BUILT_IN['recent']}) AND ({BUILT_IN['mine']})"
    assert found.aliases == {**BUILT_IN, "ours": "project = B"}
    assert "ticketr.toml:4: ignored: @mine is built in" in found.ignored[0]


def test_an_alias_may_be_called_like_a_secret(tmp_path: Path) -> None:
    (tmp_path / "ticketr.toml").write_text('[aliases]\ntokens = "text ~ token"\n')

    file = read_workspace_file(tmp_path)

    assert file is not None
    assert file.aliases == {"tokens": "text ~ token"}
