"""Mutants of the refusal of calls from other threads and Trio runs."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

REFUSED = (
    "test_owner_thread.py::test_a_call_from_another_thread_or_run_is_refused_and_changes_nothing"
)
CLOSED = "test_owner_thread.py::test_a_queue_that_is_closed_answers_in_another_run_and_without_one"

MUTANTS: Final = [
    Mutant(
        "a call from outside of Trio changes the queue",
        "_owner_thread.py",
        "            pass  # called outside of Trio\n",
        "            return\n",
        REFUSED,
    ),
    Mutant(
        "another run changes the queue",
        "_owner_thread.py",
        "if current_root_task() is root:",
        "if current_root_task() is not None:",
        "test_owner_thread.py::test_a_second_run_in_the_same_thread_is_another_run",
    ),
    Mutant(
        "another run submits a job",
        "_core.py",
        "if get_ident() != self._thread:",
        "if False:",
        REFUSED,
    ),
    Mutant(
        "a submit from outside of Trio gets no clear error",
        "_queue.py",
        "        self._core.subscriptions.owner_thread.check()\n        if self._core.store is not None:",
        "        if self._core.store is not None:",
        "test_owner_thread.py::test_a_submit_in_another_thread_is_refused_before_its_options_are_looked_at",
    ),
    Mutant(
        "a closed queue is still bound to its run",
        "_updates.py",
        "        self.owner_thread.close()\n",
        "",
        CLOSED,
    ),
    Mutant(
        "another run waits until the queue is idle",
        "_control.py",
        "        self._core.subscriptions.owner_thread.check()\n"
        '        self._core.wait_graph.refuse_wait_inside(\n            self._core, "the queue to be idle',
        '        self._core.wait_graph.refuse_wait_inside(\n            self._core, "the queue to be idle',
        REFUSED,
    ),
    Mutant(
        "another run shuts the queue down",
        "_control.py",
        "        self._core.subscriptions.owner_thread.check()\n        limit = math.inf if",
        "        limit = math.inf if",
        REFUSED,
    ),
    Mutant(
        "another run reads the history of a queue",
        "_queries.py",
        "        core.subscriptions.owner_thread.check()\n        limit = checked_whole(",
        "        limit = checked_whole(",
        REFUSED,
    ),
    Mutant(
        "another run waits for a job",
        "_handle.py",
        "        self._core.subscriptions.owner_thread.check()\n        record = self._record\n",
        "        record = self._record\n",
        f"{REFUSED} test_owner_thread.py::test_a_failure_asked_about_in_another_run_is_still_reported",
    ),
    Mutant(
        "another run reads what is unread",
        "_subscription.py",
        "        self._owner_thread.check()\n        self._end_if_idle()\n        record = await self._receive.receive()\n",
        "        self._end_if_idle()\n        record = await self._receive.receive()\n",
        REFUSED,
    ),
    Mutant(
        "another run rests on a reader",
        "_subscription.py",
        "        self._owner_thread.check()\n        until = checked_number(",
        "        until = checked_number(",
        REFUSED,
    ),
]
