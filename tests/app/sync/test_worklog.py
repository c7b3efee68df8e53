"""Work is recorded on an issue once, and a comment is added once."""

from __future__ import annotations

from typing import Any

import pytest
from fakes.lossy import Answering
from fakes.pulls import Bench

from ticketr import JobFailed, open_job_queue
from ticketr.app.jira.adf import to_markdown
from ticketr.app.sync import CommentJob, LogWorkJob, UnsendableWorkOrComment, split_time_and_text


async def log(bench: Bench, **work: Any) -> Any:
    settings = {key: work.pop(key) for key in ("transport",) if key in work}
    async with open_job_queue(workers=1) as queue:
        return await queue.run(
            LogWorkJob(**bench.settings(**settings), **{"key": "DEMO-1", "time_spent": "2h"} | work)
        )


def logged(bench: Bench) -> list[tuple[int, str]]:
    return [
        (each.seconds, to_markdown(each.comment).strip() if each.comment else "")
        for each in bench.finds("DEMO-1").worklogs
    ]


@pytest.mark.parametrize(
    ("text", "time"),
    [("2h", "2h"), ("1D 4H", "1d 4h"), ("1h30m", "1h 30m"), ("  1.5h ", "1.5h"), ("1w", "1w")],
)
def test_a_time_is_checked(text: str, time: str) -> None:
    assert split_time_and_text(f"{text} wrote a test") == (time, "wrote a test")


@pytest.mark.parametrize("text", ["2", "two hours", "2x", "0h", "", "-1h"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UnsendableWorkOrComment, match="write the time like 2h, 1d 4h or 1h 30m"):
        split_time_and_text(text)


async def test_work_is_recorded_with_its_text(bench: Bench) -> None:
    done = await log(bench, comment="Wrote the *tests*", typed_start="2026-03-01 09:30")

    assert (done.spent, logged(bench)) == ("2h", [(7200, "Wrote the *tests*")])
    ((record,),) = ([each.started for each in bench.finds("DEMO-1").worklogs],)
    assert record == 1_772_337_600_000  # 09:30 in the account's zone, Asia/Kolkata
    assert done.started is not None


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("limited", [True, False])
async def test_work_whose_answer_was_lost_is_not_recorded_twice(
    bench: Bench, taken: bool, limited: bool
) -> None:
    status, headers = 429 if limited else 0, {"retry-after": "1"}
    lossy = Answering(bench, "POST issue/*/worklog", status, headers=headers, times=1, taken=taken)
    await log(bench, time_spent="1h")
    failure = None
    try:
        await log(bench, transport=lossy)
    except JobFailed as error:
        failure = error

    assert (failure is None) == (taken or limited)
    assert [seconds for seconds, _ in logged(bench)] == [3600, *([7200] * (taken or limited))]


@pytest.mark.parametrize(
    ("work", "reason"),
    [
        ({"typed_start": "yesterday"}, "write when the work began like 2026-01-31 09:30"),
        ({"comment": "x" * 40_000}, "it has 40000 characters; Jira takes 32767"),
        ({"comment": "a\n\n<!-- b -->"}, ""),
    ],
)
async def test_what_cannot_be_sent_is_told(bench: Bench, work: dict[str, str], reason: str) -> None:
    with pytest.raises(JobFailed) as caught:
        await log(bench, **work)

    assert isinstance(caught.value.__cause__, UnsendableWorkOrComment)
    assert reason in str(caught.value.__cause__)
    assert logged(bench) == []


async def comment(bench: Bench, text: str, **settings: Any) -> Any:
    async with open_job_queue(workers=1) as queue:
        return await queue.run(CommentJob(**bench.settings(**settings), key="DEMO-1", text=text))


def comments(bench: Bench) -> list[str]:
    return [to_markdown(each.body).strip() for each in bench.finds("DEMO-1").comments]


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("limited", [True, False])
async def test_a_comment_whose_answer_was_lost_is_not_added_twice(
    bench: Bench, taken: bool, limited: bool
) -> None:
    status, headers = 429 if limited else 0, {"retry-after": "1"}
    lossy = Answering(bench, "POST issue/*/comment", status, headers=headers, times=1, taken=taken)
    await comment(bench, "Again")  # an equal one of before is not taken for it
    before = len(comments(bench))
    failure = None
    try:
        await comment(bench, "Again", transport=lossy)
    except JobFailed as error:
        failure = error

    assert (failure is None) == (taken or limited)
    assert comments(bench)[before:] == ["Again"] * (taken or limited)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" \n", "the comment is empty"),
        ("x" * 40_000, "it has 40000 characters; Jira takes 32767"),
    ],
)
async def test_a_comment_that_cannot_be_sent_is_told(bench: Bench, text: str, reason: str) -> None:
    before = comments(bench)
    with pytest.raises(JobFailed) as caught:
        await comment(bench, text)

    assert isinstance(caught.value.__cause__, UnsendableWorkOrComment)
    assert reason in str(caught.value.__cause__)
    assert comments(bench) == before
