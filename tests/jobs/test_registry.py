"""The jobs of a queue by ID and key: the registry by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from fakes.records import pending_record

from ticketr import JobStatus, Keep
from ticketr.jobs._registry import Registry
from ticketr.jobs._scheduling.schedule import Schedule

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from ticketr.jobs._record import JobRecord


class Books:
    """A registry with a schedule, and jobs that enter and end as in a queue."""

    def __init__(self, keep: Keep = Keep()) -> None:  # noqa: B008 - frozen
        self.schedule = Schedule(10)
        self.running: dict[trio.lowlevel.Task, JobRecord] = {}
        self.registry = Registry(self.schedule, self.running, keep)

    def enter(self, job_id: str, key: Hashable = None, tags: Iterable[str] = ()) -> JobRecord:
        record = pending_record(job_id, tags=tags)
        registry = self.registry
        if key is not None:
            slot = registry.slot_of(key)
            slot.add(record)
            record.own_extras().key = key
            record.set_key_slot(slot)
        registry.submitted += 1
        registry.by_id[job_id] = record
        self.schedule.add(record, 0.0)
        return record

    def cancel(self, record: JobRecord) -> None:
        self.schedule.discard(record)
        record.end(JobStatus.CANCELLED, 0.0, None)
        self.registry.free(record)
        self.registry.unsuccessful[JobStatus.CANCELLED] += 1
        self.registry.finished.jobs.append(record)

    def select(self, key: Hashable = None, tag: str | None = None) -> list[JobRecord]:
        return self.registry.select(key, tag)


def test_an_id_that_is_made_up_is_none_that_a_submit_has_chosen() -> None:
    books = Books()
    books.enter("job-1")
    books.enter("job-2")

    assert books.registry.next_free_id() == "job-3"
    assert books.registry.next_free_id() == "job-4"


def test_all_jobs_are_counted_once() -> None:
    books = Books()
    pending, cancelled = books.enter("a"), books.enter("b")
    books.cancel(cancelled)
    books.schedule.discard(pending)

    assert (books.registry.submitted, books.registry.ended) == (2, 2)
    assert books.registry.completed == 1


def test_a_key_is_forgotten_with_its_last_job() -> None:
    books = Books()
    first, second = books.enter("a", key="k"), books.enter("b", key="k")

    books.cancel(first)
    assert len(books.registry.keys) == 1
    books.cancel(second)
    assert len(books.registry.keys) == 0


def test_a_paused_key_outlives_its_last_job() -> None:
    books = Books()
    job = books.enter("a", key="k")
    slot = books.registry.slot_of("k")
    books.schedule.pause(slot)

    books.cancel(job)
    assert books.registry.keys == {"k": slot}

    books.schedule.resume(slot)
    books.registry.remove_unused(slot)
    assert len(books.registry.keys) == 0


async def test_jobs_are_selected_by_key_and_tag_in_the_order_of_submission() -> None:
    books = Books()
    pending = books.enter("a", tags=["t", "u"])
    running = books.enter("b", key="k")
    ended = books.enter("c", key="k", tags=["t"])
    other = books.enter("d", key="l", tags=["t"])
    books.cancel(ended)
    books.running[trio.lowlevel.current_task()] = running
    books.schedule.discard(running)

    assert books.select() == [pending, running, ended, other]
    assert books.select(key="k") == [running, ended]
    assert books.select(tag="t") == [pending, ended, other]
    assert books.select(key="k", tag="t") == [ended]
    assert books.select(key="m") == books.select(tag="v") == []


def test_an_ended_job_whose_id_another_one_has_is_not_selected() -> None:
    books = Books()
    ended = books.enter("a")
    books.cancel(ended)
    assert books.select() == [ended]

    later = books.enter("a")

    assert books.select() == [later]


@pytest.mark.parametrize(("keep", "evicted"), [(0, 3), (2, 1), (3, 0), (9, 0)])
def test_what_is_not_kept_counts_as_evicted(keep: int, evicted: int) -> None:
    books = Books(Keep(jobs=keep))
    for job in [books.enter(name) for name in "abc"]:
        books.cancel(job)

    assert books.registry.evicted == evicted
