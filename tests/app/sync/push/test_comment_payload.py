"""What is sent of comments, and what is refused of them."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from fakes.comments import add_comment, comments_in, edit_comment, writes
from fakes.pulls import Bench

from ticketr.app.jira.adf import LONGEST_TEXT
from ticketr.app.sync import Code, Loss, Store, Take, read_push_plan, resolve
from ticketr.app.sync.state.state import State
from ticketr.app.tickets import parse

ON = {"comments": True}
#: A comment with a paragraph that no Markdown can say.
ODD: dict[str, Any] = {
    "type": "doc",
    "version": 1,
    "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": "# kept \ufdd0 by Jira"}]}
    ],
}


def edits(bench: Bench, old: str, new: str) -> None:
    path = bench.root / "DEMO-1.md"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


async def refused(bench: Bench) -> str:
    result = await bench.push(**ON)
    (note,) = result.failed
    assert (note.code, bench.writes) == (Code.INVALID, [])
    return note.reason


async def test_every_comment_of_a_long_list_is_read(bench: Bench) -> None:
    numbers = [add_comment(bench, "DEMO-1", f"Comment {at}") for at in range(230)]

    await bench.pull(**ON)

    found = parse((bench.root / "DEMO-1.md").read_text()).tickets[0].comments
    assert [each.id for each in found] == numbers


async def test_a_comment_that_is_too_long_is_refused(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, f"- new: {'x' * (LONGEST_TEXT + 1)}")

    assert await refused(bench) == "New comment: it has 32768 characters; Jira takes 32767"


async def test_an_emptied_comment_is_refused(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    edits(bench, "  Looks good\n", "")

    assert (await refused(bench)).startswith(f"Comment {number}: a comment needs a text; delete it")


async def test_a_number_that_jira_does_not_have_is_refused(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- [99] Me:\n  Looks good")

    assert await refused(bench) == (
        "Comment 99: Jira does not have it here; write - new: for a new comment"
    )


async def test_text_that_jira_would_lose_is_refused_with_its_line(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: one\n\n  <!-- two -->")
    text = (bench.root / "DEMO-1.md").read_text()
    line = text[: text.index("<!--")].count("\n") + 1

    assert (await refused(bench)).startswith(f"New comment: DEMO-1.md:{line}: ")


async def test_text_that_jira_takes_literally_is_a_warning(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: see [it](./a/b.png)")

    result = await bench.push(**ON)

    assert [each.code for each in result.warnings] == [Code.LITERAL]
    assert result.warnings[0].reason.startswith("New comment: DEMO-1.md:")
    assert len(comments_in(bench, "DEMO-1")) == 1


async def test_an_edit_that_loses_something_needs_an_answer(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "one")
    (comment,) = bench.finds("DEMO-1").comments
    bench.site.edit("DEMO-1", comments=(replace(comment, body=ODD),))
    await bench.pull(**ON)
    edits(bench, "by Jira", "by me")
    loss = Loss(
        "DEMO-1", "DEMO-1.md", f"a paragraph at “# kept \ufdd0 by Jira” of comment {number}"
    )

    words = await refused(bench)
    with closing(State(bench.root / ".ticketr" / "state.db")) as state:
        plan = read_push_plan(Store(bench.root, ".ticketr"), state)
    sent = await bench.push(**ON, accept_loss=frozenset({loss}))

    assert words == (
        f"Comment {number}: sending it would lose {loss.what}, for its file cannot say that; "
        "change it in Jira, or say --accept-loss"
    )
    assert plan.losses == (loss,)
    assert sent.updated == ("DEMO-1",)
    assert [each.code for each in sent.warnings] == [Code.LOSS]
    assert "by me" in comments_in(bench, "DEMO-1")[0]


async def test_a_restricted_comment_stays_restricted(bench: Bench) -> None:
    add_comment(bench, "DEMO-1", "one")
    (comment,) = bench.finds("DEMO-1").comments
    role = {"type": "role", "value": "Administrators", "identifier": "Administrators"}
    bench.site.edit("DEMO-1", comments=(replace(comment, visibility=role),))
    await bench.pull(**ON)
    edits(bench, "  one\n", "  two\n")

    await bench.push(**ON)

    (now,) = bench.finds("DEMO-1").comments
    assert (comments_in(bench, "DEMO-1"), now.visibility is not None) == (["two"], True)


@pytest.mark.parametrize("take", [Take.MINE, Take.JIRA, Take.BOTH])
async def test_a_conflict_on_a_comment_can_be_resolved(bench: Bench, take: Take) -> None:
    number = add_comment(bench, "DEMO-1", "one\n\ntwo")
    await bench.pull(**ON)
    edits(bench, "  two\n", "  two, here\n")
    edit_comment(bench, "DEMO-1", number, "one\n\ntwo, there")
    await bench.pull(**ON)
    store = Store(bench.root, ".ticketr")
    state = State(store.state_path)
    with store.lock():
        resolve(store, state, "DEMO-1", take)
    state.close()
    text = (bench.root / "DEMO-1.md").read_text()
    if take is Take.BOTH:
        assert "<<<<<<<" in text
        return
    await bench.sync(**ON)
    wanted = "one\n\ntwo, here" if take is Take.MINE else "one\n\ntwo, there"
    assert comments_in(bench, "DEMO-1") == [wanted]
