"""Test the order of requests under a limit."""

from __future__ import annotations

from functools import partial

import trio
import trio.testing

from ticketr.app.jira.rate_limits import GROW_AFTER, AdaptiveLimit, PerIssueLock

Clock = trio.testing.MockClock


class TestAdaptiveLimit:
    """How many requests run together."""

    async def test_a_refusal_halves_it_down_to_one(self) -> None:
        limit = AdaptiveLimit(9)
        limits = []
        for _ in range(5):
            limit.count_refusal(limit.cuts)
            limits.append(limit.limit)
        assert limits == [4, 2, 1, 1, 1]

    async def test_refusals_of_those_sent_together_count_once(self) -> None:
        limit = AdaptiveLimit(8)
        for _ in range(3):
            limit.count_refusal(0)
        assert limit.limit == 4

    async def test_it_grows_back_by_one_after_many_good_answers_and_never_further(self) -> None:
        limit = AdaptiveLimit(4)
        limit.count_refusal(0)
        limits = []
        for _ in range(4):
            for _ in range(GROW_AFTER - 1):
                limit.count_success()
            before = limit.limit
            limit.count_success()
            limits.append((before, limit.limit))
        assert limits == [(2, 3), (3, 4), (4, 4), (4, 4)]

    async def test_a_refusal_restarts_the_count(self) -> None:
        limit = AdaptiveLimit(4)
        limit.count_refusal(0)
        for _ in range(GROW_AFTER - 1):
            limit.count_success()
        limit.count_refusal(0)
        limit.count_success()
        assert limit.limit == 2

    async def test_a_waiting_task_gets_room_as_soon_as_the_limit_grows(self) -> None:
        limit = AdaptiveLimit(2)
        limit.count_refusal(0)
        await limit.acquire()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limit.acquire)
            await trio.testing.wait_all_tasks_blocked()
            for _ in range(GROW_AFTER):
                limit.count_success()
            with trio.fail_after(1):
                await trio.testing.wait_all_tasks_blocked()
            assert not nursery.child_tasks

    async def test_who_gave_up_a_place_has_the_next_one(self) -> None:
        limit = AdaptiveLimit(1)
        order: list[str] = []

        async def enter(name: str, *, again: bool) -> None:
            await limit.acquire(again=again)
            order.append(name)
            limit.release()

        await limit.acquire()
        async with trio.open_nursery() as nursery:
            for name in ("new", "back"):
                nursery.start_soon(partial(enter, name, again=name == "back"))
                await trio.testing.wait_all_tasks_blocked()
            limit.release()
        assert order == ["back", "new"]

    async def test_a_cancelled_wait_takes_no_slot(self) -> None:
        limit = AdaptiveLimit(1)
        await limit.acquire()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(limit.acquire)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        with trio.CancelScope() as scope:
            scope.cancel()
            await limit.acquire()
        limit.release()
        with trio.fail_after(1):
            await limit.acquire()

    async def test_it_is_over_the_limit_until_enough_holders_have_left(self) -> None:
        limit = AdaptiveLimit(4)
        for _ in range(4):
            await limit.acquire()
        limit.count_refusal(0)
        crowded = []
        for _ in range(3):
            crowded.append(limit.is_over_limit)
            limit.release()
        assert crowded == [True, True, False]


class TestPerIssueLock:
    """Changes of one issue run one after the other."""

    async def test_the_same_issue_waits_and_another_does_not(self, autojump_clock: Clock) -> None:
        lock = PerIssueLock()
        log: list[tuple[str, float]] = []

        async def change(issue: str | None) -> None:
            async with lock.hold(issue):
                log.append((str(issue), trio.current_time() - start))
                await trio.sleep(1)

        start = trio.current_time()
        async with trio.open_nursery() as nursery:
            for issue in ("A-1", "A-1", "A-2", None, None):
                nursery.start_soon(change, issue)
        assert sorted(log) == [
            ("A-1", 0.0),
            ("A-1", 1.0),
            ("A-2", 0.0),
            ("None", 0.0),
            ("None", 0.0),
        ]

    async def test_nothing_is_kept_of_finished_requests(self, autojump_clock: Clock) -> None:
        lock = PerIssueLock()

        async def give_up() -> None:
            with trio.move_on_after(1):
                async with lock.hold("A-1"):
                    raise AssertionError

        async with trio.open_nursery() as nursery, lock.hold("A-1"):
            nursery.start_soon(give_up)
            await trio.sleep(2)
            assert len(vars(lock)["_locks"]) == 1
        assert vars(lock)["_locks"] == {}

    async def test_one_whose_waiting_was_cancelled_does_not_let_two_in(self) -> None:
        for _ in range(30):  # in each order of simultaneous events
            assert await most_inside(PerIssueLock()) == 1


async def most_inside(lock: PerIssueLock) -> int:
    """Let one leave, cancel one that waits, and let two come, all at once; count those inside."""
    inside, most = 0, 0
    scope = trio.CancelScope()

    async def change(done: trio.Event) -> None:
        nonlocal inside, most
        async with lock.hold("A-1"):
            inside += 1
            most = max(most, inside)
            await done.wait()
            inside -= 1

    async def give_up() -> None:
        with scope:
            await change(trio.Event())

    first, later = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(change, first)
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(give_up)
        await trio.testing.wait_all_tasks_blocked()
        scope.cancel()
        first.set()
        nursery.start_soon(change, later)
        await trio.lowlevel.checkpoint()
        nursery.start_soon(change, later)
        await trio.testing.wait_all_tasks_blocked()
        later.set()
    return most
