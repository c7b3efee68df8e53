"""Test comments, links, attachments and worklogs: the requests, and reading odd answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
import trio.testing
from fakes.jira_app import SITE, Answer, ScriptedApp

from ticketr.app.jira import (
    Attachment,
    BadAnswer,
    Credentials,
    JiraClient,
    LinkType,
    Worklog,
    open_jira,
)

ACCOUNT = Credentials(SITE, "mia@example.com", "a-token")
BODY = {"type": "doc", "version": 1, "content": []}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def answer(
    request: Callable[[JiraClient], Awaitable[object]], *answers: Answer
) -> tuple[object, ScriptedApp]:
    """Send a request to a site with these answers."""
    app = ScriptedApp(*answers)
    async with open_jira(ACCOUNT, transport=app.transport()) as jira:
        return await request(jira), app


async def test_comments_are_read_page_by_page(autojump_clock: trio.testing.MockClock) -> None:
    pages = [
        Answer({"total": 3, "comments": [{"id": "1"}, {"id": "2"}]}),
        Answer({"total": 3, "comments": [{"id": "2"}, {"id": "3"}]}),
    ]

    found, app = await answer(lambda jira: jira.comments("A-1"), *pages)

    assert found == ({"id": "1"}, {"id": "2"}, {"id": "3"})
    assert [each.query for each in app.asked] == [
        "startAt=0&maxResults=100&orderBy=created",
        "startAt=2&maxResults=100&orderBy=created",
    ]


@pytest.mark.parametrize("total", [2, 9, 10**400])
async def test_fewer_comments_than_the_site_counts_are_refused(
    autojump_clock: trio.testing.MockClock, total: int
) -> None:
    circle = Answer({"total": total, "comments": [{"id": "1"}]})

    with pytest.raises(BadAnswer, match="1 comments, though the issue has more"):
        await answer(lambda jira: jira.comments("A-1"), circle)


async def test_an_answer_without_the_id_of_a_comment_is_refused(
    autojump_clock: trio.testing.MockClock,
) -> None:
    with pytest.raises(BadAnswer, match="it tells no ID of the comment"):
        await answer(lambda jira: jira.add_comment("A-1", BODY), Answer({}))


async def test_an_edited_comment_keeps_who_may_see_it(
    autojump_clock: trio.testing.MockClock,
) -> None:
    role = {"type": "role", "value": "Admins"}

    _, app = await answer(
        lambda jira: jira.edit_comment("A-1", "7", BODY, visibility=role), Answer({})
    )

    assert (app.asked[0].method, app.asked[0].path) == ("PUT", "/rest/api/3/issue/A-1/comment/7")
    assert app.asked[0].body == {"body": BODY, "visibility": role}


async def test_kinds_of_links_without_their_words_are_left_out(
    autojump_clock: trio.testing.MockClock,
) -> None:
    kinds = [{"id": "1", "name": "Blocks", "outward": "blocks", "inward": "is blocked by"}, {}]

    found, _ = await answer(lambda jira: jira.link_types(), Answer({"issueLinkTypes": kinds}))

    assert found == (LinkType("1", "Blocks", "blocks", "is blocked by"),)


async def test_a_link_is_added_and_removed(autojump_clock: trio.testing.MockClock) -> None:
    _, added = await answer(lambda jira: jira.add_link("1", "A-1", "A-2"), Answer(b"", 201))
    _, removed = await answer(lambda jira: jira.remove_link("7", issue="A-1"), Answer({}, 404))

    assert added.asked[0].body == {
        "type": {"id": "1"},
        "inwardIssue": {"key": "A-1"},
        "outwardIssue": {"key": "A-2"},
    }
    assert (removed.asked[0].method, removed.asked[0].path) == ("DELETE", "/rest/api/3/issueLink/7")


@pytest.mark.parametrize("record", [{}, {"size": 1}])
def test_an_attachment_without_id_is_none(record: dict[str, object]) -> None:
    assert Attachment.read(record) is None


@pytest.mark.parametrize("record", [{"id": "1"}, {"id": "1", "size": True}])
def test_the_size_of_an_attachment_may_be_unknown(record: dict[str, object]) -> None:
    attachment = Attachment.read(record)

    assert attachment is not None
    assert attachment.size is None


@pytest.mark.parametrize(
    ("status", "range_", "body"),
    [
        (206, "bytes 0-2/9", b"one"),
        (206, "", b"one"),
        (206, "bytes 3-5/9", b"on"),
        (200, "", b"one"),
    ],
)
async def test_another_portion_is_refused(
    autojump_clock: trio.testing.MockClock, status: int, range_: str, body: bytes
) -> None:
    with pytest.raises(BadAnswer):
        await answer(
            lambda jira: jira.read_attachment("7", 3, 6),
            Answer(body, status, {"content-range": range_} if range_ else {}),
        )


MEDIA = "6b2ad1f1-0c1d-4a53-8b2a-6a2e6d0f3c11"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        (
            Answer(
                b"", 303, {"location": f"https://api.media.example/file/{MEDIA}/binary?token=t"}
            ),
            MEDIA,
        ),
        (Answer(b"", 303, {"location": "https://elsewhere.example/file/7/binary"}), ""),
        (Answer(b"o", 206, {"content-range": "bytes 0-0/9"}), ""),
    ],
)
async def test_the_media_id_is_in_the_address_of_the_content(
    autojump_clock: trio.testing.MockClock, told: Answer, found: str
) -> None:
    identity, app = await answer(lambda jira: jira.media_id("7"), told)

    assert identity == found
    assert (app.asked[0].path, app.asked[0].headers["range"]) == (
        "/rest/api/3/attachment/content/7",
        "bytes=0-0",
    )


async def test_the_settings_of_attachments_may_lack_a_limit(
    autojump_clock: trio.testing.MockClock,
) -> None:
    found, _ = await answer(
        lambda jira: jira.attachment_settings(), Answer({"enabled": True, "uploadLimit": "x"})
    )

    assert (getattr(found, "enabled", None), getattr(found, "limit", 0)) == (True, None)


async def test_worklogs_are_read_and_added(autojump_clock: trio.testing.MockClock) -> None:
    record = {
        "id": "7",
        "author": {"accountId": "me"},
        "started": "2026-03-01T12:00:00.000+0000",
        "timeSpent": "2h",
    }
    worklog = Worklog("7", "me", NOON, "2h")

    found, read = await answer(
        lambda jira: jira.worklogs("A-1", since=NOON), Answer({"worklogs": [record, {}]})
    )
    added, app = await answer(
        lambda jira: jira.add_worklog("A-1", spent="2h", started="x"), Answer(record, 201)
    )

    assert (found, added) == ((worklog,), worklog)
    assert read.asked[0].query == f"startedAfter={int(NOON.timestamp() * 1000) - 1}"
    assert app.asked[0].body == {"timeSpent": "2h", "started": "x"}
