"""Test mentions by a name or an e-mail address."""

from __future__ import annotations

import pytest

from ticketr.app.jira import adf

NAMED = {
    "ask @[Mia]": "Mia",
    "ask @[Mia Krause], please": "Mia Krause",
    "(@[Mia])": "Mia",
    "@[mia@example.com]": "mia@example.com",
    "@mia.krause@example.com.": "mia.krause@example.com",
    "- a\n- b @[Ömer]": "Ömer",
    "| @[Mia] | b |\n|---|---|": "Mia",
}
NOBODY = [
    *(
        "",
        "@",
        "@[]",
        "@[@]",
        "@Mia",
        "@[Mia](5f:1)",
        "\\@[Mia]",
        "@\\[Mia]",
        "`@[Mia]`",
        "x@[Mia]",
    ),
    *("```\n@[Mia]\n```", "mia@example.com", "https://e.x/@[Mia]", "@[Mia]: x", "[@[Mia]](x)@x@y"),
    '<span adf="mention" params=\'{"id":"1"}\'>@mia@example.com</span>',
]


@pytest.mark.parametrize(("markdown", "name"), NAMED.items())
def test_a_person_is_named_in_brackets_or_by_an_address(markdown: str, name: str) -> None:
    (found,) = adf.named_people(f"first\n\n{markdown}\n")

    assert found.name == name
    assert found.text in f"first\n\n{markdown}".split("\n")[found.line - 1]


@pytest.mark.parametrize("markdown", NOBODY[:-2] + NOBODY[-1:])
def test_other_text_names_nobody(markdown: str) -> None:
    assert adf.named_people(markdown) == ()
    assert adf.with_people(markdown, {"Mia": ("5f:1", "Mia")}) == markdown


@pytest.mark.parametrize(("markdown", "name"), NAMED.items())
def test_a_person_who_is_found_becomes_a_mention(markdown: str, name: str) -> None:
    found = adf.with_people(markdown, {name: ("557058:1", "M [*] K"), "other": ("2", "x")})

    assert "@[M \\[\\*\\] K](557058:1)" in found
    assert adf.named_people(found) == ()
    mentions = [
        node["attrs"] for node in adf._plain.walk(adf.to_adf(found)) if node["type"] == "mention"
    ]
    assert mentions == [{"id": "557058:1", "text": "@M [*] K"}]


def test_others_in_the_line_and_code_stay_as_they_are() -> None:
    markdown = "`@[Mia]` @[Mia] and @[Ann], @[Mia]"

    found = adf.with_people(markdown, {"Mia": ("5f:1", "Mia")})

    assert found == "`@[Mia]` @[Mia](5f:1) and @[Ann], @[Mia](5f:1)"


def test_a_text_without_people_is_the_same_object() -> None:
    markdown = "ask @[Mia]"
    assert adf.with_people(markdown, {}) is markdown
