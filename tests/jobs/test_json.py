"""Snapshots as JSON, and back."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from functools import partial
from typing import Any

import pytest
import trio
from fakes.job_snapshots import failed
from hypothesis import given, strategies as st
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    JobContext,
    JobErrorInfo,
    JobProgress,
    JobSnapshot,
    JobStatus,
    open_job_queue,
)
from ticketr.jobs._values import MAX_JSON_DEPTH, json_value_or_repr

HALF = "\ud800"  # of a surrogate pair


class Hostile:
    """Nothing of it works."""

    def __repr__(self) -> str:
        raise OSError("no")

    __str__ = __hash__ = __eq__ = __repr__  # type: ignore[assignment]


class HalfRepr:
    def __repr__(self) -> str:
        return HALF


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    HIGH = 3


class Word(StrEnum):
    YES = "yes"


def cases(*pairs: tuple[object, object]) -> pytest.MarkDecorator:
    """Give each case a name that calls none of the value's own code."""
    params = [
        pytest.param(*pair, id=f"{number} {type(pair[0]).__name__}")
        for number, pair in enumerate(pairs)
    ]
    return pytest.mark.parametrize(("value", "given"), params)


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


def loop() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


@cases(
    *((value, value) for value in (None, True, 0, -5, 2.5, "", "a\u00e9\U0001f600\0\x1b")),
    ([1, [None, {"a": [True]}]], [1, [None, {"a": [True]}]]),
    ((1, (2,)), [1, [2]]),
    (Level.HIGH, 3),
    (Word.YES, "yes"),
    (2**2048 - 1, 2**2048 - 1),
    (nested(MAX_JSON_DEPTH), nested(MAX_JSON_DEPTH)),
)
def test_what_json_can_hold_stays(value: object, given: object) -> None:
    result = json_value_or_repr(value)

    assert result == given
    assert type(result) is type(given)
    assert json.loads(json.dumps(result, allow_nan=False)) == given


@cases(
    (math.nan, "nan"),
    ([1, math.nan], "[1, nan]"),
    (2**2048, repr(2**2048)),
    (b"a", "b'a'"),
    (Decimal("1.5"), "Decimal('1.5')"),
    (Colour.RED, "<Colour.RED: 1>"),
    ({1: "a"}, "{1: 'a'}"),
    ({"a": {1}}, "{'a': {1}}"),
    (HALF, "'\\ud800'"),
    (loop(), "[[...]]"),
    (nested(MAX_JSON_DEPTH + 1), repr(nested(MAX_JSON_DEPTH + 1))),
)
def test_what_json_cannot_hold_is_its_repr(value: object, given: str) -> None:
    assert json_value_or_repr(value) == given


async def work(context: JobContext, result: object) -> object:
    await trio.sleep(1.5)
    context.report(current=1, total=4, message=f"half {HALF}")
    await trio.sleep(1)
    return result


async def test_a_snapshot_as_json(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.25 + trio.current_time())
    async with open_job_queue() as queue:
        await trio.sleep(10)
        tags = ["z", "a", HALF]
        done = await queue.submit(work, {"n": 1}, id="a", key=("k", 1), tags=tags, delay=2)
        await done.wait()
        pending = await queue.submit(work, None, delay=60)
        data = pending.snapshot().as_dict()
        pending.cancel()

    assert done.snapshot().as_dict() == {
        "id": "a",
        "name": "work",
        "status": "completed",
        "revision": 5,
        "key": "('k', 1)",
        "tags": ["\\ud800", "a", "z"],
        "priority": 0,
        "attempt": 1,
        "progress": {
            "current": 1,
            "total": 4,
            "percentage": 25.0,
            "message": "half \\ud800",
            "revision": 4,
        },
        "waiting_for": None,
        "cancel_requested": False,
        "cancel_cause": None,
        "submitted_at": 10.0,
        "due_at": 12.0,
        "started_at": 12.0,
        "finished_at": 14.5,
        "submitted_wall": "2023-11-14T22:13:30.250000+00:00",
        "due_wall": "2023-11-14T22:13:32.250000+00:00",
        "started_wall": "2023-11-14T22:13:32.250000+00:00",
        "finished_wall": "2023-11-14T22:13:34.750000+00:00",
        "wall_offset": 1_700_000_000.25,
        "error": None,
        "result": {"n": 1},
        "item": None,
    }
    assert (data["status"], data["waiting_for"], data["finished_wall"]) == ("pending", "time", None)
    assert pending.snapshot().as_dict()["cancel_cause"] == "user"


def test_the_percentage_of_less_than_nothing_is_0() -> None:
    progress = JobProgress("id", -(2**70), 2.2250738585072014e-308, "", 1)

    assert (progress.percentage, str(progress)[:4]) == (0.0, "0% (")


# There and back.

TEXTS = st.text(st.characters(), max_size=5)
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.just(10**300)
)
TIMES = st.floats(-1e12, 1e12)
MAKE_ODD: list[Any] = [
    *(Hostile, HalfRepr, object, loop, partial(nested, 10_000)),
    *(lambda: math.nan, lambda: 10**5000, lambda: HALF, lambda: b"\xff", lambda: {1: 2}),
]
ODD = st.integers(0, len(MAKE_ODD) - 1).map(lambda number: MAKE_ODD[number]())
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, ODD)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(TEXTS, st.integers()), inner, max_size=3),
        st.tuples(inner, inner),
    ),
    max_leaves=8,
)
KEYS = st.one_of(st.none(), TEXTS, st.integers(), st.floats(), st.tuples(TEXTS, st.integers()))
PROGRESS = st.builds(JobProgress, st.just("id"), NUMBERS, NUMBERS, TEXTS, st.integers(0, 10**20))
SNAPSHOTS = st.builds(
    JobSnapshot,
    id=st.just("id"),
    name=TEXTS,
    status=st.sampled_from(JobStatus),
    revision=st.integers(1, 10**20),
    key=KEYS,
    tags=st.frozensets(TEXTS),
    priority=st.integers(-(10**9), 10**9),
    attempt=st.integers(0, 9),
    progress=st.none() | PROGRESS,
    waiting_for=st.sampled_from([None, "paused", "time", "key", "worker"]),
    cancel_requested=st.booleans(),
    cancel_cause=st.none() | st.sampled_from(CancelCause),
    submitted_at=TIMES,
    due_at=TIMES,
    started_at=st.none() | TIMES,
    finished_at=st.none() | TIMES,
    error=st.none() | st.builds(JobErrorInfo, TEXTS, TEXTS, TEXTS),
    result=VALUES,
    wall_offset=st.none() | TIMES | st.just(1e300),
    item=VALUES,
)


@given(SNAPSHOTS)
def test_what_was_json_comes_back_as_it_was(snapshot: JobSnapshot) -> None:
    data = snapshot.as_dict()

    sent = json.dumps(data, allow_nan=False, ensure_ascii=False).encode("utf-8")
    back = JobSnapshot.from_dict(json.loads(sent))

    assert json.loads(sent) == data
    assert back.as_dict() == data
    assert hash(back.key) == hash(back.key)
    for field in fields(JobSnapshot):
        if field.name not in {"name", "key", "tags", "progress", "error", "result", "item"}:
            assert getattr(back, field.name) == getattr(snapshot, field.name)
    assert JobSnapshot.from_dict(back.as_dict()) == back


PLAIN = replace(
    failed("a", message="half"),
    key="k",
    tags=frozenset({"t"}),
    cancel_requested=True,
    cancel_cause=CancelCause.USER,
    item=[1, "a"],
)


def test_a_plain_snapshot_comes_back_equal() -> None:
    assert JobSnapshot.from_dict(PLAIN.as_dict()) == PLAIN
    assert JobSnapshot.from_dict(PLAIN.as_dict()).item == PLAIN.item
    assert JobSnapshot.from_dict({**PLAIN.as_dict(), "new": 1}) == PLAIN
    assert replace(PLAIN, wall_offset=5.0) == PLAIN  # it is about clocks, not about the job


@pytest.mark.parametrize("name", PLAIN.as_dict().keys())
def test_a_missing_field_is_named(name: str) -> None:
    data = PLAIN.as_dict()
    del data[name]

    if name.endswith("_wall"):
        assert JobSnapshot.from_dict(data) == PLAIN
        return
    with pytest.raises(
        ValueError, match=f"not a job as as_dict\\(\\) gives it: '{name}' is missing"
    ):
        JobSnapshot.from_dict(data)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("id", value) for value in (None, 3, ["a"])),
        *(("status", value) for value in ("lost", None, JobStatus.FAILED, 5)),
        *(("revision", value) for value in ("4", 4.0, True, None)),
        *(("tags", value) for value in ("t", None)),
        ("progress", []),
        ("progress", "half"),
        *(("cancel_requested", value) for value in (0, None)),
        *(("cancel_cause", value) for value in ("weather", 1)),
        *(("submitted_at", value) for value in (None, "1", True)),
        *(("finished_at", value) for value in ("1", False)),
        *(("error", value) for value in ({"type": "x", "message": "y"}, "no")),
        ("wall_offset", "1"),
        ("waiting_for", 3),
    ],
)
def test_a_field_that_is_not_ours_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=r"not a job as as_dict|not a valid"):
        JobSnapshot.from_dict({**PLAIN.as_dict(), name: value})


@pytest.mark.parametrize(
    "value", [Hostile(), nested(10_000), {1, 2}], ids=["hostile", "deep", "set"]
)
def test_a_foreign_result_or_item_is_its_repr(value: object) -> None:
    foreign = {"result": value, "item": value, "key": (1, 2)}
    back = JobSnapshot.from_dict({**PLAIN.as_dict(), **foreign})

    assert type(back.result) is type(back.item) is str
    assert back.key == "(1, 2)"
