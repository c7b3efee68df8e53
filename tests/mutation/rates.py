"""Mutants of rates."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

LIMITS = "test_rate_limits.py::"
SHUTDOWN = "test_rates_at_shutdown.py::"

MUTANTS: Final = [
    Mutant(
        "a queue without a start left starts jobs",
        "_schedule.py",
        "self.is_stopped = self.is_paused or (self.rates is not None and None in self.rates.empty)",
        "self.is_stopped = self.is_paused",
        LIMITS + "test_a_burst_starts_at_once_and_then_one_job_each_interval",
    ),
    Mutant(
        "a key without a start left starts jobs",
        "_pending.py",
        "            or (self.rates is not None and blocker in self.rates.empty)\n",
        "",
        LIMITS + "test_the_rate_of_a_key_holds_up_no_job_of_another_key",
    ),
    Mutant(
        "a job of a key takes no start of the queue",
        "_rates.py",
        "for limited in (None,) if key is None else (None, key):",
        "for limited in (key,):",
        LIMITS + "test_the_rates_of_the_queue_and_of_a_key_both_hold",
    ),
    Mutant(
        "a job takes no start",
        "_core.py",
        "            schedule.take_starts(record, now)\n",
        "",
        LIMITS + "test_each_attempt_takes_a_start",
    ),
    Mutant(
        "the timer sleeps past the next start",
        "_core.py",
        "            self.timer.wake_at(schedule.next_time())\n            if self.phase",
        "            if self.phase",
        LIMITS + "test_a_burst_starts_at_once_and_then_one_job_each_interval",
    ),
    Mutant(
        "the next start of a rate is not a time to wake at",
        "_schedule.py",
        "            math.inf if self.rates is None else self.rates.empty.first_rank(),\n",
        "",
        LIMITS + "test_a_burst_starts_at_once_and_then_one_job_each_interval",
    ),
    Mutant(
        "no worker is woken when a rate has a start again",
        "_queue_tasks.py",
        "    if core.schedule.refill_rates(now) or due:\n",
        "    core.schedule.refill_rates(now)\n    if due:\n",
        LIMITS + "test_a_burst_starts_at_once_and_then_one_job_each_interval",
    ),
    Mutant(
        "a key that has a start again is offered to no job",
        "_schedule.py",
        "        self._update_stopped()\n        if key is not None:\n            self._key_changed(key)\n",
        "        self._update_stopped()\n",
        LIMITS + "test_the_rate_of_a_key_holds_up_no_job_of_another_key",
    ),
    Mutant(
        "the end of a pause ends a wait for a rate",
        "_schedule.py",
        "            self.is_paused = False\n            self._update_stopped()\n",
        "            self.is_paused = self.is_stopped = False\n",
        LIMITS + "test_a_pause_outlasts_a_rate_and_a_rate_a_pause",
    ),
    Mutant(
        "a new rate begins with a full bucket",
        "_rates.py",
        "Bucket(rate, self._buckets.get(key), now)",
        "Bucket(rate)",
        LIMITS + "test_a_slower_rate_keeps_count_of_the_starts_so_far",
    ),
    Mutant(
        "a new rate waits for the start of the one before it",
        "_rates.py",
        "        if key in self.empty:\n            self.empty.discard(key)\n",
        "",
        LIMITS + "test_a_faster_rate_and_none_wake_what_may_run_now",
    ),
    Mutant(
        "a faster rate wakes no worker",
        "_control.py",
        "        core.timer.wake_at(core.schedule.next_time())\n        core.mark_changed(())\n",
        "",
        LIMITS + "test_a_faster_rate_and_none_wake_what_may_run_now",
    ),
    Mutant(
        "the rate of a key is forgotten with its last job",
        "_pending.py",
        "        return key in self._paused_keys or (self.rates is not None and key in self.rates)\n",
        "        return key in self._paused_keys\n",
        LIMITS + "test_the_rate_of_a_key_outlives_its_jobs_until_it_is_removed",
    ),
    Mutant(
        "the rate of an unused key is forgotten as the block is left",
        "_shutdown.py",
        "        core.registry.remove_unused(key_slot)\n",
        "        core.registry.keys.remove(key_slot)\n",
        LIMITS + "test_the_rate_of_a_key_holds_while_the_block_is_left",
    ),
    Mutant(
        "the slot of a key is kept after its rate",
        "_control.py",
        "        if key_slot is not None:\n            core.registry.remove_unused(key_slot)\n        core.timer",
        "        core.timer",
        LIMITS + "test_the_rate_of_a_key_outlives_its_jobs_until_it_is_removed",
    ),
    Mutant(
        "a shutdown waits for a rate",
        "_schedule.py",
        "        self._suspects = self.jobs()\n",
        "        self._suspects = []\n",
        SHUTDOWN + "test_a_job_that_waits_for_a_rate_when_a_pending_job_has_ended",
    ),
    Mutant(
        "a shutdown waits for a rate that a job comes to wait for",
        "_core.py",
        "self.cancel_at_shutdown(schedule.newly_limited())  # since another",
        "pass  # since another",
        LIMITS + "test_a_bounded_shutdown_cancels_what_waits_for_a_rate",
    ),
    Mutant(
        "a shutdown waits for a rate whose last start another job has taken",
        "_core.py",
        "self.cancel_at_shutdown(schedule.newly_limited())  # since this",
        "pass  # since this",
        SHUTDOWN + "test_a_job_that_waits_for_a_rate_when_another_has_taken_the_last_start",
    ),
    Mutant(
        "a shutdown waits for a rate that a job waits for since a pending one was cancelled",
        "_core.py",
        "                self.timer.wake()  # a job",
        "                pass  # a job",
        SHUTDOWN + "test_a_job_that_waits_for_a_rate_when_a_pending_job_has_ended",
    ),
    Mutant(
        "a shutdown waits for a rate that a job waits for since another was cancelled for it",
        "_schedule.py",
        "            self._suspects.append(record)\n",
        "            pass\n",
        SHUTDOWN + "test_a_job_that_waits_for_a_rate_when_a_pending_job_has_ended",
    ),
    Mutant(
        "the timer leaves jobs waiting for a rate in a shutdown",
        "_queue_tasks.py",
        "    if phase.cancels_delayed_jobs:\n        core.cancel_at_shutdown(core.schedule.newly_limited())\n",
        "",
        SHUTDOWN + "test_a_job_that_waits_for_a_rate_when_a_pending_job_has_ended",
    ),
    Mutant(
        "a shutdown waits for the rate of the queue, as a key is free again",
        "_schedule.py",
        "        while self.rates is not None and None in self.rates.empty:\n",
        "        while False:\n",
        SHUTDOWN + "test_a_job_that_waits_for_the_rate_of_the_queue_when_its_key_is_free",
    ),
    Mutant(
        "a shutdown waits for the rate of a key that is free again",
        "_schedule.py",
        "            self._suspects += key.jobs\n",
        "            pass\n",
        SHUTDOWN + "test_a_job_that_waits_for_a_rate_when_its_key_is_free_and_no_worker_is",
    ),
    Mutant(
        "a shutdown without rates notes each job that becomes ready",
        "_schedule.py",
        "        if self._suspects is not None and self.rates is not None:\n",
        "        if self._suspects is not None:\n",
        SHUTDOWN + "test_a_long_shutdown_keeps_nothing_of_jobs_that_have_ended",
    ),
    Mutant(
        "a rate is not a hope",
        "_wait_targets.py",
        "schedule.has_delayed or schedule.starts_by_rate or",
        "schedule.has_delayed or",
        LIMITS + "test_a_rate_is_hope_for_a_job_that_waits",
    ),
    Mutant(
        "the rate of a key is not a hope",
        "_schedule.py",
        "return self._first_ready() is not None or any(",
        "return self._first_ready() is not None and any(",
        LIMITS + "test_a_rate_is_hope_for_a_job_that_waits",
    ),
]
