"""Test ``ticketr new --template``: drafts from files with placeholders."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.users import User

from ticketr.app.tickets import Ticket, parse

MARKDOWN = """\
# TICKET: Feature: {Name}

## Description
As {Actor} I want {Name}.

Write {{this}} as `{ "a": {} }`.

## Fields
Type: Epic
Priority: {Priority}

## Acceptance Criteria
- {Name} is there

# TICKET: Screen of {Name}

## Fields
Parent: Feature: {Name}

## Tasks
- Design {Name}
"""
YAML = """\
name: feature
structure:
  epic:
    title: "Feature: {{.Name}}"
    description: |
      As a {{.Actor}}
      I want {{ .Name }}
    tasks:
      - "Research {{.Name}}"
  stories:
    - title: "Frontend: {{.Name}}"
      tasks: ["Tests", Review]
    - title: Documents
"""


def made(someone: User, *arguments: str) -> tuple[str, tuple[Ticket, ...]]:
    """Make a draft; return its file's name and its tickets."""
    told = someone.runs("new", *arguments)
    assert (told.code, told.err) == (0, "")
    path = Path(told.out.removesuffix("\n"))
    return path.name, parse(path.read_text(encoding="utf-8")).tickets


def test_placeholders_are_filled_in_and_the_drafts_can_be_pushed(someone: User) -> None:
    someone.writes("templates/feature.md", MARKDOWN)

    name, (epic, story) = made(
        someone, "--template", "feature", "Name=Search", "Actor=a = b", "Priority=High"
    )

    assert name == "feature-search.md"
    assert (epic.title, story.title) == ("Feature: Search", "Screen of Search")
    assert epic.description == 'As a = b I want Search.\n\nWrite {this} as `{ "a": {} }`.'
    assert dict(epic.fields) == {"Type": "Epic", "Priority": "High"}
    assert epic.acceptance_criteria == ("Search is there",)
    assert [task.title for task in story.tasks] == ["Design Search"]
    assert someone.runs("push").code == 0
    epic, story = parse((someone.root / name).read_text()).tickets
    assert someone.finds(epic.key or "").summary == "Feature: Search"
    assert story.fields["Parent"] == epic.key
    assert someone.finds(story.key or "").parent == someone.finds(epic.key or "").id
    assert (someone.root / "templates/feature.md").read_text() == MARKDOWN


def test_a_value_begins_no_ticket_and_no_section(someone: User) -> None:
    someone.writes("templates/bug.md", "# TICKET: {Title}\n\n## Description\n{Steps}\n")
    steps = "1. Open\n# TICKET: [DEMO-1] Taken\n## Fields\nPriority: High"

    _, (ticket,) = made(someone, "--template", "bug", "Title=[DEMO-2] x", f"Steps={steps}")

    assert (ticket.key, ticket.title, dict(ticket.fields)) == (None, "[DEMO-2] x", {})
    assert ticket.description == steps


@pytest.mark.parametrize("ending", ["yaml", "yml"])
def test_a_template_of_the_go_program_is_read_by_the_same_command(
    someone: User, ending: str
) -> None:
    someone.writes(f"templates/feature.{ending}", YAML)

    name, tickets = made(someone, "--template", "feature", "Name=Search", "Actor=user")

    below = {"Parent": "Feature: Search"}
    assert [(one.title, dict(one.fields)) for one in tickets] == [
        ("Feature: Search", {"Type": "Epic"}),
        ("Research Search", below),
        ("Frontend: Search", below),
        ("Documents", below),
    ]
    assert tickets[0].description == "As a user\nI want Search"
    assert [[task.title for task in one.tasks] for one in tickets] == [
        [],
        [],
        ["Tests", "Review"],
        [],
    ]
    assert someone.runs("push").code == 0
    epic, *stories = parse((someone.root / name).read_text()).tickets
    assert {someone.finds(one.key or "").parent for one in stories} == {
        someone.finds(epic.key or "").id
    }


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["bug"], "templates/bug.md:1: no value for Title\ntemplates/bug.md:2: no value for Why"),
        (["bug", "Title=a"], "give each of them: Why=..."),
        (["bug", "Title=a", "Why=b", "Who=c"], "templates/bug.md has no placeholder Who"),
        (["bug", "Title"], "Title is no value; a value looks like Name=Search"),
        (["../bug"], "there is no template ../bug in"),
        (["secret"], "there are bug, empty, keyed, list, untitled"),
        (["keyed"], "templates/keyed.md:1: a template has no key: DEMO-1"),
        (["empty"], "templates/empty.md: it holds no ticket"),
        (
            ["list"],
            "list.yaml:2: 'stories' in structure must be a list of blocks of names",
        ),
        (["untitled"], "an epic or a story has no title"),
        (["bug", "--type", "Bug"], "--type and --parent go with a TITLE"),
    ],
)
def test_what_cannot_be_filled_in_writes_nothing(
    someone: User, arguments: list[str], words: str
) -> None:
    someone.writes("templates/bug.md", "# TICKET: {Title}\n{Why}\n")
    someone.writes("templates/keyed.md", "# TICKET: [DEMO-1] {Title}\n")
    someone.writes("templates/empty.md", "Words\n")
    someone.writes("templates/list.yaml", "structure:\n  stories: none\n")
    someone.writes("templates/untitled.yml", "structure:\n  stories:\n    - tasks: [a]\n")
    (someone.root / "templates/secret.md").symlink_to(someone.root / "templates/bug.md")
    before = {*someone.root.rglob("*")}

    told = someone.runs("new", "--template", *arguments)

    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert {*someone.root.rglob("*")} == before


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stories: [a]", "must be a list of blocks of names"),
        ("stories: [{title: a, tasks: [{b: c}]}]", "must be a list of texts"),
    ],
)
def test_yaml_that_is_no_template_is_an_error_with_its_line(
    someone: User, text: str, words: str
) -> None:
    someone.writes("templates/a.yaml", f"structure:\n  {text}\n")

    told = someone.runs("new", "--template", "a")

    assert told.code == 2
    assert "a.yaml:2: " in told.err
    assert words in told.err


def test_a_template_is_no_draft(someone: User) -> None:
    someone.writes("templates/feature.md", MARKDOWN)

    assert someone.runs("status", "--json").json["drafts"] == []
    assert someone.runs("push").code == 0
    assert someone.site.find("DEMO-13") is None
