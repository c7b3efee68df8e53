"""Test the people whom a text mentions by their names, from what Jira's search returned."""

from __future__ import annotations

import pytest

from ticketr.app.jira import User
from ticketr.app.sync.push.rich_text import unknown_people, with_mentions
from ticketr.app.sync.push.values import BadValue

MIA = User("5f:1", "Mia Krause", "", "mia@example.com")
MIB = User("5f:2", "Mia Kraus", "")
OTHER = User("5f:3", "Mia Krause", "")


def place(line: int) -> str:
    return f"a.md:{line}: "


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Mia Krause", [MIA]),
        ("mia krause", [MIB, MIA]),
        ("mia@example.com", [MIA]),
        ("hidden@example.com", [MIA]),
        ("Mia", [MIA]),
        ("5f:1", [MIA]),
    ],
)
def test_one_person_is_mentioned_by_account(name: str, found: list[User]) -> None:
    text = with_mentions(f"ask @[{name}]", {name: found}, place)
    assert text == "ask @[Mia Krause](5f:1)"


@pytest.mark.parametrize("found", [[MIA, MIB], [MIA, OTHER, MIB]])
def test_several_people_are_refused_with_their_accounts(found: list[User]) -> None:
    name = "Mia" if OTHER not in found else "Mia Krause"
    with pytest.raises(BadValue, match=r"^a\.md:2: .* is the name of several people") as refused:
        with_mentions(f"\nask @[{name}]", {name: found}, place)
    assert "@[Mia Krause](5f:1) or @[" in str(refused.value)


def test_many_people_are_counted() -> None:
    found = [User(f"5f:{number}", f"Mia {number}", "") for number in range(9)]
    with pytest.raises(BadValue, match=r"\(4 more\)$"):
        with_mentions("@[Mia]", {"Mia": found}, place)


def test_nobody_is_left_as_text_with_a_warning_that_is_not_repeated() -> None:
    text = "ask @[Nobody]\nand @[Ann]"
    assert with_mentions(text, {"Nobody": ()}, place) == text
    ((line, reason),) = unknown_people(text, "", {"Nobody": (), "Ann": (MIA,)})
    assert line == 1
    assert reason.startswith("“@[Nobody]” goes to Jira as text, for its search finds nobody")
    assert list(unknown_people(text, text, {"Nobody": ()})) == []
