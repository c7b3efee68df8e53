"""Test ``ticketr alias``, and aliases in queries."""

from __future__ import annotations

import json

import pytest
from fakes.users import User


def test_the_aliases_that_everybody_has_are_listed(someone: User) -> None:
    told = someone.runs("alias")

    assert told.code == 0
    assert told.out.splitlines() == [
        "@mine    assignee = currentUser() AND resolution = EMPTY",
        "@recent  updated >= -7d",
        "@sprint  sprint in openSprints()",
    ]
    assert json.loads(someone.runs("alias", "--json").out)[1] == {
        "name": "recent",
        "query": "updated >= -7d",
    }


def test_a_query_gets_a_name_and_a_pull_uses_it(someone: User) -> None:
    assert someone.runs("alias", "two", "key in (DEMO-1, DEMO-2)").code == 0
    assert someone.runs("alias", "@bugs", "@two AND type = Bug").code == 0

    told = someone.runs("pull", "--jql", "@two")

    assert (told.code, told.err.splitlines()[-1]) == (0, "2 new, 0 updated, 0 unchanged")
    assert "@bugs    @two AND type = Bug" in someone.runs("alias").out


def test_a_name_is_taken_away(someone: User) -> None:
    someone.runs("alias", "two", "key in (DEMO-1, DEMO-2)")

    assert someone.runs("alias", "--remove", "@two").out == "removed @two\n"

    again = someone.runs("alias", "two", "--remove")
    assert (again.code, again.err) == (1, "your settings have no alias @two\n")
    built_in = someone.runs("alias", "--remove", "mine")
    assert "(it is built in, or in ticketr.toml)" in built_in.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["two"], "give NAME and QUERY, or NAME and --remove"),
        (["two", "x = 1", "--remove"], "give NAME and QUERY, or NAME and --remove"),
        (["--remove"], "--remove needs the NAME of an alias"),
        (["2 a", "x = 1"], "letters, digits, '-' and '_' alone"),
        (["a", " "], "the query is empty"),
        (["a", "@a OR x = 1"], "the alias stands for itself (@a > @a)"),
        (["a", "@mien"], "did you mean @mine?"),
    ],
)
def test_wrong_usage_is_refused_and_changes_nothing(
    someone: User, arguments: list[str], problem: str
) -> None:
    before = someone.runs("alias").out

    told = someone.runs("alias", *arguments)

    assert (told.code, told.out) == (2, "")
    assert problem in told.err
    assert someone.runs("alias").out == before


def test_an_unknown_alias_in_a_query_ends_with_2_and_sends_nothing(someone: User) -> None:
    told = someone.runs("pull", "--jql", "@nope")

    assert (told.code, told.out) == (2, "")
    assert "--jql is '@nope': there is no such alias" in told.err
