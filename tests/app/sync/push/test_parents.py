"""Test drafts that name another draft of their file as their parent."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from fakes.lossy import Answering, Lossy
from fakes.pulls import Bench
from fakes.unsettled import new, write

from jira_sandbox import create_app
from ticketr.app.sync import Code
from ticketr.app.tickets import Ticket, parse, render

STORY = """\
# TICKET: Pay by card

## Fields
Parent: Checkout

## Tasks
- Write the form

"""
EPIC = "# TICKET: Checkout\n\n## Fields\nType: Epic\n\n"
FAMILY = f"{STORY}{EPIC}{STORY.replace('card', 'invoice')}"
TITLES = [
    *("Checkout", "Pay by card", "Pay by invoice", "Write the form", "Write the form"),
]


def tickets_in(path: Path) -> dict[str, Ticket]:
    return {ticket.title: ticket for ticket in parse(path.read_text()).tickets}


def check_family(bench: Bench, path: Path) -> None:
    """Check that the stories are below the epic, in the file and in Jira."""
    tickets = tickets_in(path)
    epic = tickets.pop("Checkout").key
    assert epic is not None
    for ticket in tickets.values():
        assert ticket.fields["Parent"] == epic
        assert bench.finds(ticket.key or "").parent == bench.finds(epic).id
        for task in ticket.tasks:
            assert bench.finds(task.key or "").parent == bench.finds(ticket.key or "").id


@pytest.mark.parametrize(
    "text",
    [FAMILY, FAMILY + "".join(STORY.replace("card", f"way {number}") for number in range(12))],
    ids=["few", "many"],
)
async def test_one_push_creates_an_epic_and_its_stories(bench: Bench, text: str) -> None:
    path = write(bench, text)
    planned = await bench.push(dry_run=True)

    result = await bench.push()

    assert (planned.failed, result.failed, result.warnings) == ((), (), ())
    assert len(result.created) == planned.total == len(new(bench))
    check_family(bench, path)
    assert (await bench.sync()).push.total == 0
    check_family(bench, path)


async def test_a_parent_may_have_a_parent(bench: Bench) -> None:
    path = write(bench, f"{STORY}{EPIC}# TICKET: Fees\n\n## Fields\nParent: Pay by card\n")

    result = await bench.push()

    (note,) = result.failed  # Jira takes no story below another one
    assert (note.title, note.code) == ("Fees", Code.REFUSED_BY_JIRA)
    assert tickets_in(path)["Fees"].fields["Parent"] == tickets_in(path)["Pay by card"].key


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (STORY, 'Parent: "Checkout" is not a key like PROJ-123, nor the title of one'),
        (f"{STORY}{EPIC}{EPIC}", 'Parent: "Checkout" is not a key like PROJ-123, nor the title'),
        (f"{EPIC.replace('Epic', 'Epos')}{STORY}", 'Parent: creating the draft "Checkout"'),
        (STORY.replace("Checkout", "Pay by card"), 'Parent: creating the draft "Pay by card"'),
    ],
    ids=["none", "two", "invalid", "itself"],
)
async def test_a_draft_whose_parent_is_not_created_stays_one(
    bench: Bench, text: str, words: str
) -> None:
    path = write(bench, text)

    result = await bench.push()

    note = next(note for note in result.failed if note.title == "Pay by card")
    assert note.reason.startswith(words)
    assert note.code is Code.BAD_VALUE
    ticket = tickets_in(path)["Pay by card"]
    assert render([ticket]) == render([parse(text).tickets[0]]) or "Epos" in text
    assert "Pay by card" not in new(bench)


async def test_a_refused_parent_leaves_its_children_as_drafts(bench: Bench) -> None:
    path = write(bench, FAMILY)
    words = {"errorMessages": ["Not on Sundays."]}

    result = await bench.push(transport=Answering(bench, "POST issue", 400, words, times=1))

    reasons = {note.title: note.reason for note in result.failed}
    assert "Not on Sundays." in reasons.pop("Checkout")
    reason = 'Parent: creating the draft "Checkout" has failed, so this stays a draft, too'
    assert reasons == dict.fromkeys(["Pay by card", "Pay by invoice"], reason)
    assert path.read_text() == FAMILY
    assert len((await bench.push()).created) == len(TITLES)
    check_family(bench, path)


async def test_the_children_of_a_draft_that_is_not_valid_are_not_in_the_plan(bench: Bench) -> None:
    write(bench, FAMILY.replace("Type: Epic", "Type: Epic\nPriority: Odd", 1))

    result = await bench.push(dry_run=True)

    assert {note.title for note in result.failed} >= {"Checkout", "Pay by card", "Pay by invoice"}
    assert not {entry.title for entry in result.planned} & {"Pay by card", "Pay by invoice"}
    assert bench.writes == []


@pytest.mark.parametrize("what", ["request", "answer"])
@pytest.mark.parametrize("number", [1, 2, 4])
async def test_a_push_that_ends_early_doubles_nothing(bench: Bench, what: str, number: int) -> None:
    """Lose the answers from the number-th create on; the next push has to find what exists."""
    path = write(bench, FAMILY)
    seen = 0

    def lose(method: str, at: str) -> str | None:
        nonlocal seen
        seen += (method, at) == ("POST", "issue")
        return what if seen >= number and method == "POST" else None

    with trio.move_on_after(10):
        await bench.push(transport=Lossy(create_app(bench.site), lose))

    await bench.push()
    assert (await bench.push()).total == 0
    assert new(bench) == TITLES
    check_family(bench, path)
