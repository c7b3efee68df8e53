"""Test that a push sends back what was not edited of a description, and keeps the file's wording."""

from __future__ import annotations

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from fakes.adf_nodes import doc, paragraph, text
from fakes.described import describe, p
from fakes.examples import IN_STRESS
from fakes.hand_edits import edit_by_hand
from fakes.jira_documents import Maker
from fakes.pulls import Bench

from ticketr.app.jira import adf
from ticketr.app.jira.adf import canonical
from ticketr.app.sync import Code, Loss
from ticketr.app.tickets import Ticket, parse, render, render_ticket

SEEDS = range(1_500 if IN_STRESS else 24)
#: So many issues are pushed in one run.
ISSUES = 12

OWN = """\
Some hard wrapped
words of __mine__, with [a link][site].

* star
* bullets

[site]: https://example.com
"""


TABLE = {
    "type": "table",
    "attrs": {"localId": "t-1", "isNumberColumnEnabled": False, "layout": "default"},
    "content": [
        {
            "type": "tableRow",
            "content": [
                {"type": "tableHeader", "attrs": {"colspan": 1}, "content": [paragraph("a")]},
                {"type": "tableHeader", "attrs": {"colspan": 1}, "content": [paragraph("b")]},
            ],
        }
    ],
}
INTRO = paragraph("Intro", attrs={"localId": "p-1"})
HASHED = paragraph("# kept \ufdd0 by Jira")  # Markdown has no escape for it


def describes(bench: Bench, key: str, description: str) -> None:
    """Write another description into a ticket's own file."""
    path = bench.root / f"{key}.md"
    (ticket,) = parse(path.read_text()).tickets
    path.write_text(render_ticket(replace(ticket, description=description)))


def description(bench: Bench, key: str) -> str:
    (ticket,) = parse((bench.root / f"{key}.md").read_text()).tickets
    return ticket.description


async def test_an_edit_beside_it_leaves_a_block_equal_as_json(bench: Bench) -> None:
    bench.site.edit("DEMO-1", description=doc(INTRO, TABLE, HASHED))
    await bench.pull()
    describes(bench, "DEMO-1", description(bench, "DEMO-1").replace("Intro", "Words") + "\nMore.\n")

    assert (await bench.push()).updated == ("DEMO-1",)

    sent = bench.finds("DEMO-1").description
    words = {**INTRO, "content": [text("Words")]}
    assert json.dumps(sent) == json.dumps(doc(words, TABLE, HASHED, paragraph("More.")))


async def test_the_base_of_a_push_is_what_jira_has_now(bench: Bench) -> None:
    bench.site.edit("DEMO-1", description=doc(INTRO, TABLE))
    await bench.pull()
    describes(bench, "DEMO-1", description(bench, "DEMO-1").replace("Intro", "Words"))
    # An ID is not a change that a file would show.
    newer = json.loads(json.dumps(TABLE).replace("t-1", "t-2"))
    bench.site.edit("DEMO-1", description=doc(INTRO, newer))

    assert (await bench.push()).updated == ("DEMO-1",)

    sent = bench.finds("DEMO-1").description
    assert sent is not None
    assert sent["content"][1] == newer


async def test_a_sync_merges_jiras_change_and_sends_the_rest_as_it_is(bench: Bench) -> None:
    bench.site.edit("DEMO-1", description=doc(INTRO, paragraph("middle"), TABLE, paragraph("end")))
    await bench.pull()
    describes(bench, "DEMO-1", description(bench, "DEMO-1").replace("Intro", "Words"))
    theirs = paragraph("the end", attrs={"localId": "p-9"})
    bench.site.edit("DEMO-1", description=doc(INTRO, paragraph("middle"), TABLE, theirs))

    await bench.sync()

    words = {**INTRO, "content": [text("Words")]}
    assert bench.finds("DEMO-1").description == doc(words, paragraph("middle"), TABLE, theirs)


async def test_a_loss_in_the_edited_block_is_refused_with_its_line(bench: Bench) -> None:
    bench.site.edit("DEMO-1", description=doc(INTRO, HASHED))
    await bench.pull()
    describes(bench, "DEMO-1", description(bench, "DEMO-1").replace("by Jira", "by me"))

    result = await bench.push()

    (failed,) = result.failed
    assert failed.code is Code.LOSS
    assert "a paragraph at “# kept \ufdd0 by Jira” (line 6)" in failed.reason
    accepted = frozenset({Loss("DEMO-1", "DEMO-1.md", "a paragraph at “# kept \ufdd0 by Jira”")})
    assert (await bench.push(accept_loss=accepted)).updated == ("DEMO-1",)


async def test_a_push_keeps_the_wording_of_the_file(bench: Bench) -> None:
    await bench.pull()
    describes(bench, "DEMO-1", OWN)
    before = bench.files()["DEMO-1.md"]

    assert (await bench.push()).updated == ("DEMO-1",)

    assert bench.files()["DEMO-1.md"] == before
    assert (await bench.pull()).unchanged == ISSUES
    assert (await bench.push()).updated == ()
    assert bench.files()["DEMO-1.md"] == before


async def test_a_later_change_in_jira_changes_its_own_lines_alone(bench: Bench) -> None:
    await bench.pull()
    describes(bench, "DEMO-1", OWN)
    await bench.push()
    before = bench.files()["DEMO-1.md"]
    ours = bench.finds("DEMO-1").description
    assert ours is not None
    bench.site.edit(
        "DEMO-1", description={**ours, "content": [*ours["content"], paragraph("New.")]}
    )

    await bench.pull()

    here, there = before.split("\n"), bench.files()["DEMO-1.md"].split("\n")
    assert [each for each in there if each not in here] == ["New."]
    assert [each for each in here if each not in there] == []


async def test_a_change_on_both_sides_of_a_text_with_its_own_wording_is_merged(
    bench: Bench,
) -> None:
    await bench.pull()
    describes(bench, "DEMO-1", OWN)
    await bench.push()
    ours = bench.finds("DEMO-1").description
    assert ours is not None
    describes(bench, "DEMO-1", OWN.replace("star", "stars"))
    bench.site.edit(
        "DEMO-1", description={**ours, "content": [paragraph("New."), *ours["content"]]}
    )

    result = await bench.sync()

    assert (result.pull.in_conflict, result.push.updated) == (0, ("DEMO-1",))
    assert description(bench, "DEMO-1") == "New.\n\n" + OWN.replace("star", "stars").rstrip("\n")
    sent = bench.finds("DEMO-1").description
    assert sent is not None
    assert adf.to_markdown(sent).startswith("New.\n\nSome hard wrapped words")


@pytest.mark.unmeasured
@pytest.mark.laws
@pytest.mark.parametrize("first", SEEDS[::ISSUES])
async def test_documents_edited_by_hand_in_their_files(first: int, bench: Bench) -> None:
    documents: dict[str, Any] = {}
    for number in range(1, ISSUES + 1):
        rng = Random(first + number)
        documents[f"DEMO-{number}"] = Maker(rng, hostile=bool(number % 2)).document()
        bench.site.edit(f"DEMO-{number}", description=documents[f"DEMO-{number}"])
    await bench.pull()
    edited: dict[str, tuple[str, str]] = {}

    def by_hand(issue: Ticket) -> Ticket:
        _, new = edit_by_hand(issue.description, Random(f"{first} {issue.key}"))
        edited[issue.key or ""] = issue.description, new
        tasks = tuple(map(by_hand, issue.tasks))
        return replace(issue, description=new, tasks=tasks)

    for path in bench.root.glob("*.md"):
        path.write_text(render(list(map(by_hand, parse(path.read_text()).tickets))))

    result = await bench.push(accept_loss=True)

    named = {each.key_title_or_path for each in (*result.failed, *result.warnings)}
    for key, (before, after) in edited.items():
        ours, sent = documents[key], bench.finds(key).description
        if key in named or sent is None:
            continue
        kept = [json.dumps(each) for each in sent["content"]]
        shown = adf.graft(ours, adf.to_adf(before), adf.to_adf(after))
        assert kept == [json.dumps(each) for each in shown.document["content"]]


PANEL = {"type": "panel", "attrs": {"panelType": "info"}, "content": [p("in a panel")]}
EXPAND = {"type": "nestedExpand", "attrs": {"title": "More"}, "content": [p("in an expand")]}


def table(*cells: dict[str, Any]) -> dict[str, Any]:
    head = [
        {"type": "tableHeader", "attrs": {}, "content": [p(f"h{n}")]} for n in range(len(cells))
    ]
    row = [{"type": "tableCell", "attrs": {}, "content": [each]} for each in cells]
    rows = [{"type": "tableRow", "content": each} for each in (head, row)]
    return {"type": "table", "attrs": {"layout": "default"}, "content": rows}


@pytest.mark.parametrize("old", ["plain", "in a panel", "in an expand"])
async def test_a_hand_edit_beside_or_in_a_panel_or_an_expand_of_a_cell_changes_that_alone(
    bench: Bench, old: str
) -> None:
    describe(bench, "DEMO-1", table(p("plain"), PANEL, EXPAND))
    await bench.pull()
    assert 'adf="panel"' in bench.text("DEMO-1")
    before = json.dumps(canonical(bench.finds("DEMO-1").description))
    bench.edits("DEMO-1", old, "by hand")

    result = await bench.push()

    assert (result.failed, result.warnings) == ((), ())
    now = json.dumps(canonical(bench.finds("DEMO-1").description))
    assert now == before.replace(old, "by hand")
