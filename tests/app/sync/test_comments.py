"""Comments in files: pulled, added, edited, merged, refused, and never doubled or deleted."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.comments import MIA, add_comment, comments_in, edit_comment, writes
from fakes.lossy import Answering, cut_off
from fakes.pulls import Bench, Recorder

from jira_sandbox import create_app
from ticketr import JobFailed
from ticketr.app.jira.adf import MAX_JIRA_CHARACTERS
from ticketr.app.jira.transport import Request, Response
from ticketr.app.sync import Code, Loss, Side, Store, read_push_plan
from ticketr.app.tickets import Comment, parse

ON = {"comments": True}
ADDS = "POST issue/DEMO-1/comment"
ADD = "POST issue/*/comment"


def in_file(bench: Bench, key: str = "DEMO-1") -> list[tuple[str, str, str]]:
    """Return the number, author and text of each comment in the file of a ticket."""
    return [(each.id, each.author, each.text) for each in _comments(bench.root / f"{key}.md")]


def _comments(path: Path) -> tuple[Comment, ...]:
    return parse(path.read_text()).tickets[0].comments


def journal(bench: Bench) -> list[tuple[str, str, bool]]:
    with bench.state() as state:
        return [(each.text, each.id, each.settled > 0) for each in state.comments.select()]


async def in_step(bench: Bench) -> bool:
    """See that one more sync has nothing to do and sends nothing."""
    before = bench.files()
    synced = await bench.sync(**ON)
    assert bench.files() == before
    return (synced.push.total, synced.pull.merged, bench.writes) == (0, 0, [])


async def test_a_pull_writes_comments_with_number_author_and_time(bench: Bench) -> None:
    first = add_comment(bench, "DEMO-1", "Looks *good*\n\n- one\n- two", author=MIA)
    second = add_comment(bench, "DEMO-1", "Thanks")

    await bench.pull(**ON)

    assert in_file(bench) == [
        (first, MIA.name, "Looks *good*\n\n- one\n- two"),
        (second, "Demo User", "Thanks"),
    ]
    assert await in_step(bench)


async def test_a_ticket_whose_comments_jira_does_not_give_fails_alone(bench: Bench) -> None:
    first = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    before = in_file(bench)
    add_comment(bench, "DEMO-1", "Thanks")
    add_comment(bench, "DEMO-6", "Arrives")
    number = bench.finds("DEMO-1").id

    class Fewer(Recorder):
        async def send(self, request: Request) -> Response:
            response = await super().send(request)
            answer = json.loads(response.body or b"{}")
            for issue in answer.get("issues", ()):
                if issue.get("key") == "DEMO-1":
                    del issue["fields"]["comment"]["comments"][1:]
            if f"/{number}/comment" in request.url:
                answer["comments"] = [each for each in answer["comments"] if each["id"] == first]
            body = json.dumps(answer).encode()
            return Response(response.status, response.headers, body, response.requested_url)

    result = await bench.pull(**ON, transport=Fewer(create_app(bench.site)))

    (note,) = result.failed
    assert note.key == "DEMO-1"
    assert "1 comments, though the issue has more" in note.reason
    assert in_file(bench) == before
    assert [text for _, _, text in in_file(bench, "DEMO-6")] == ["Arrives"]
    await bench.pull(**ON)
    assert [text for _, _, text in in_file(bench)] == ["Looks good", "Thanks"]
    assert await in_step(bench)


async def test_without_the_setting_nothing_changes(bench: Bench) -> None:
    await bench.pull()
    before, asked = bench.files(), bench.asked
    add_comment(bench, "DEMO-1", "Looks good")

    await bench.pull()

    assert bench.files() == before
    assert not any("comment" in each for each in (*asked, *bench.asked))


async def test_a_new_comment_is_sent_once_and_gets_its_number(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks **good**\n  to me\n\n  - one")

    result = await bench.push(**ON)

    assert (result.updated, result.failed, bench.writes) == (("DEMO-1",), (), [ADDS])
    assert comments_in(bench, "DEMO-1") == ["Looks **good** to me\n\n- one"]
    ((number, author, text),) = in_file(bench)
    assert (number, author) == (str(bench.finds("DEMO-1").comments[0].id), "Demo User")
    assert text == "Looks **good**\nto me\n\n- one"
    assert journal(bench) == [("Looks **good**\nto me\n\n- one", number, True)]
    assert await in_step(bench)


async def test_two_equal_new_comments_are_two(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: ping\n- new: ping")

    await bench.push(**ON)

    assert comments_in(bench, "DEMO-1") == ["ping", "ping"]
    assert len(in_file(bench)) == 2
    writes(bench, "- new: ping")
    await bench.push(**ON)
    assert comments_in(bench, "DEMO-1") == ["ping", "ping", "ping"]
    assert await in_step(bench)


async def test_a_draft_is_created_with_its_comments(bench: Bench) -> None:
    await bench.pull(**ON)
    (bench.root / "new.md").write_text(
        "# TICKET: A draft\n\n## Comments\n- new: of it\n\n"
        "## Tasks\n- A task\n  ## Comments\n  - new: of the task\n"
    )

    result = await bench.push(**ON)

    assert (len(result.created), result.failed) == (2, ())
    assert comments_in(bench, "DEMO-13") == ["of it"]
    assert comments_in(bench, "DEMO-14") == ["of the task"]
    assert "- new:" not in (bench.root / "new.md").read_text()
    assert await in_step(bench)


async def test_a_comment_of_the_account_can_be_edited(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("Looks good", "Looks bad"))

    result = await bench.push(**ON)

    assert bench.writes == [f"PUT issue/DEMO-1/comment/{number}"]
    assert (result.updated, comments_in(bench, "DEMO-1")) == (("DEMO-1",), ["Looks bad"])
    assert await in_step(bench)


async def test_a_comment_of_another_person_cannot_be_edited(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good", author=MIA)
    await bench.pull(**ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("Looks good", "Looks bad"))

    result = await bench.push(**ON)

    (note,) = result.failed
    assert (note.code, bench.writes) == (Code.BAD_VALUE, [])
    assert note.reason == (
        f"Comment {number}: {MIA.name} wrote it, and only your own comments can be changed; put "
        "its text back, or take its lines out: the next pull writes them"
    )


async def test_an_absent_comment_is_not_deleted_and_comes_back(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().partition("## Comments")[0])
    assert (await bench.push(**ON)).total == 0
    bench.site.edit("DEMO-1", summary="Another title")

    await bench.sync(**ON)

    assert comments_in(bench, "DEMO-1") == ["Looks good"]
    assert in_file(bench) == [(number, "Demo User", "Looks good")]


async def test_a_comment_that_was_deleted_in_jira_leaves_the_file(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    edit_comment(bench, "DEMO-1", number, None)

    await bench.pull(**ON)

    assert in_file(bench) == []
    assert await in_step(bench)


async def test_a_comment_that_both_sides_have_edited_is_a_conflict(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "one\n\ntwo\n\nthree")
    await bench.pull(**ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("  one", "  one, here"))
    edit_comment(bench, "DEMO-1", number, "one\n\ntwo\n\nthree, there")

    pulled = await bench.pull(**ON)
    pushed = await bench.push(**ON)

    (conflict,) = pulled.conflicts
    assert conflict.reason == f"changed here and in Jira: DEMO-1: Comment {number}"
    assert (pushed.in_conflict, bench.writes) == (1, [])
    await bench.sync(**ON, prefer=Side.LOCAL)
    assert comments_in(bench, "DEMO-1") == ["one, here\n\ntwo\n\nthree"]
    assert await in_step(bench)


async def test_a_comment_in_jira_does_not_hold_back_a_push(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: mine")
    number = add_comment(bench, "DEMO-1", "theirs", author=MIA)

    result = await bench.push(**ON)

    assert (result.updated, result.in_conflict) == (("DEMO-1",), 0)
    assert comments_in(bench, "DEMO-1") == ["theirs", "mine"]
    assert [text for _, _, text in in_file(bench)] == ["theirs", "mine"]
    assert in_file(bench)[0][0] == number
    assert await in_step(bench)


async def test_without_the_setting_a_new_comment_is_refused(bench: Bench) -> None:
    await bench.pull()
    writes(bench, "- new: Looks good")

    result = await bench.push()

    assert [each.reason for each in result.failed] == [
        (
            "New comment: this workspace keeps no comments; write comments = true into "
            "ticketr.toml, then pull"
        )
    ]
    assert bench.writes == []


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("by", ["push", "sync", "pull then push"])
async def test_a_comment_whose_answer_was_lost_is_there_once(
    bench: Bench, by: str, taken: bool
) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks good")
    await cut_off(bench, ADD, taken=taken, **ON)
    assert comments_in(bench, "DEMO-1") == ["Looks good"] * taken
    assert journal(bench) == [("Looks good", "", False)]

    if by == "sync":
        await bench.sync(**ON)
    else:
        if by == "pull then push":
            await bench.pull(**ON)
        await bench.push(**ON)

    assert comments_in(bench, "DEMO-1") == ["Looks good"]
    assert [text for _, _, text in in_file(bench)] == ["Looks good"]
    assert await in_step(bench)


async def test_a_comment_that_was_edited_after_its_answer_was_lost_is_edited_in_jira(
    bench: Bench,
) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks good to me")
    await cut_off(bench, ADD, **ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("to me", "to us"))

    await bench.push(**ON)

    assert comments_in(bench, "DEMO-1") == ["Looks good to us"]
    assert await in_step(bench)


async def test_an_old_file_that_comes_back_does_not_send_its_comment_again(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks good")
    path = bench.root / "DEMO-1.md"
    old = path.read_text()
    await bench.push(**ON)
    path.write_text(old)

    result = await bench.push(**ON)
    await bench.sync(**ON)

    assert (result.total, comments_in(bench, "DEMO-1")) == (0, ["Looks good"])


@pytest.mark.parametrize(("status", "taken"), [(429, True), (429, False), (502, True)])
async def test_a_comment_whose_answer_is_an_error_is_looked_up_before_it_is_sent_again(
    bench: Bench, status: int, taken: bool
) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks good")

    failing = Answering(bench, ADD, status, headers={"retry-after": "2"}, times=1, taken=taken)
    result = await bench.push(transport=failing, **ON)

    assert (result.updated, result.failed) == (("DEMO-1",), ())
    assert comments_in(bench, "DEMO-1") == ["Looks good"]
    assert await in_step(bench)


async def test_nothing_follows_the_refusal_of_a_login_that_is_not_in_jiras_form(
    bench: Bench,
) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks good")

    refusing = Answering(bench, ADD, 401, b"<html>Log in</html>")
    with pytest.raises(JobFailed, match="refused the login"):
        await bench.push(transport=refusing, **ON)

    assert refusing.seen == 1
    assert not any(path.startswith("issue/DEMO-1/comment") for path in refusing.asked)


async def test_a_comment_that_jira_refuses_is_told_and_sent_by_the_next_push(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, "- new: Looks good")
    bench.retitles("DEMO-1", "Another")

    words = {"errorMessages": ["You may not comment."], "errors": {}}
    refused = await bench.push(transport=Answering(bench, ADD, 403, words), **ON)

    (note,) = refused.failed
    assert note.reason.startswith("Title was sent, but not the rest: ")
    began = trio.current_time()
    assert (await bench.push(**ON)).updated == ("DEMO-1",)
    assert trio.current_time() == began  # Jira's own answer has ended the request
    assert comments_in(bench, "DEMO-1") == ["Looks good"]
    assert await in_step(bench)


async def test_a_comment_that_was_deleted_in_jira_and_edited_here_is_a_conflict(
    bench: Bench,
) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    path = bench.root / "DEMO-1.md"
    path.write_text(path.read_text().replace("Looks good", "Looks bad"))
    edit_comment(bench, "DEMO-1", number, None)

    pulled = await bench.pull(**ON)
    await bench.pull(**ON, prefer=Side.REMOTE)

    assert [each.key for each in pulled.conflicts] == ["DEMO-1"]
    assert in_file(bench) == []


#: A comment with a paragraph that no Markdown can say.
ODD: dict[str, Any] = {
    "type": "doc",
    "version": 1,
    "content": [
        {"type": "paragraph", "content": [{"type": "text", "text": "# kept \ufdd0 by Jira"}]}
    ],
}


async def refused(bench: Bench, code: Code = Code.BAD_VALUE) -> str:
    result = await bench.push(**ON)
    (note,) = result.failed
    assert (note.code, bench.writes) == (code, [])
    return note.reason


async def test_every_comment_of_a_long_list_is_read(bench: Bench) -> None:
    numbers = [add_comment(bench, "DEMO-1", f"Comment {at}") for at in range(230)]

    await bench.pull(**ON)

    found = parse((bench.root / "DEMO-1.md").read_text()).tickets[0].comments
    assert [each.id for each in found] == numbers


async def test_a_comment_that_is_too_long_is_refused(bench: Bench) -> None:
    await bench.pull(**ON)
    writes(bench, f"- new: {'x' * (MAX_JIRA_CHARACTERS + 1)}")

    assert await refused(bench) == "New comment: it has 32768 characters; Jira takes 32767"


async def test_an_emptied_comment_is_refused(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "Looks good")
    await bench.pull(**ON)
    bench.edits("DEMO-1", "  Looks good\n", "")

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


async def test_an_edit_that_loses_something_needs_an_answer(bench: Bench) -> None:
    number = add_comment(bench, "DEMO-1", "one")
    (comment,) = bench.finds("DEMO-1").comments
    bench.site.edit("DEMO-1", comments=(replace(comment, body=ODD),))
    await bench.pull(**ON)
    bench.edits("DEMO-1", "by Jira", "by me")
    what, part = "a paragraph at “# kept \ufdd0 by Jira”", f"Comment {number}"
    loss = Loss("DEMO-1", "DEMO-1.md", what, part=part)

    words = await refused(bench, Code.LOSS)
    plan = read_push_plan(Store(bench.root, ".ticketr"))
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
    bench.edits("DEMO-1", "  one\n", "  two\n")

    await bench.push(**ON)

    (now,) = bench.finds("DEMO-1").comments
    assert (comments_in(bench, "DEMO-1"), now.visibility is not None) == (["two"], True)
