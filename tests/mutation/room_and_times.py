"""Mutants of waiting for room, for a time, or for the end of a pause."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    # Room
    Mutant(
        "one job too many is taken",
        "_core.py",
        "            if schedule.pending >= schedule.max_pending and not above:\n",
        "            if schedule.pending > schedule.max_pending and not above:\n",
        "test_queue.py::test_no_more_than_max_pending_wait",
    ),
    Mutant(
        "a pending job that is cancelled makes no room",
        "_core.py",
        "        if not was_running:\n            self.admit()\n",
        "        if not was_running:\n",
        "test_queue.py::test_no_submit_overtakes_a_waiting_submitter",
    ),
    Mutant(
        "a job that starts makes no room",
        "_core.py",
        "        if schedule.submissions.count:\n            self.admit()\n",
        "",
        "test_queue.py::test_submit_waits_for_room",
    ),
    Mutant(
        "a cancelled submitter still waits for room",
        "_admission.py",
        "        has_left = schedule.submissions.withdraw(submission)\n",
        "        has_left = True\n",
        "test_queue.py::test_a_cancelled_submitter_leaves_no_trace",
    ),
    Mutant(
        "a submit in a cancelled scope submits",
        "_queue.py",
        "        await checkpoint_if_cancelled()\n        # Held",
        "        # Held",
        "test_queue.py::test_a_submit_in_a_cancelled_scope_submits_nothing",
    ),
    Mutant(
        "a submit that has submitted can be cancelled",
        "_queue.py",
        "            await cancel_shielded_checkpoint()\n        finally",
        "            await trio.lowlevel.checkpoint()\n        finally",
        "test_queue.py::test_a_submit_that_has_submitted_gives_its_handle_cancelled_or_not",
    ),
    Mutant(
        "a submit does not raise that its ID was taken meanwhile",
        "_core.py",
        "                submission.refuse(refusal)\n",
        "                pass\n",
        "test_queue.py::test_a_submit_raises_if_its_id_was_taken_meanwhile",
    ),
    # Time
    Mutant(
        "a delay is not waited for",
        "_schedule.py",
        "        elif due_at > now:\n",
        "        elif False:\n",
        "test_delays_and_pauses.py::test_a_delayed_job_starts_when_it_is_due_and_holds_no_worker",
    ),
    Mutant(
        "an earlier time does not move the timer",
        "_core_base.py",
        "            self.timer.wake_at(self.schedule.next_time())\n",
        "            pass\n",
        "test_delays_and_pauses.py::test_a_sooner_one_may_come_later",
    ),
    Mutant(
        "a job starts at the very moment at which it is too late",
        "_worker.py",
        "            if schedule.is_time_dependent:\n                handle_due_times(core)\n",
        "",
        "test_delays_and_pauses.py::test_a_worker_that_comes_at_the_last_moment_comes_too_late",
    ),
    Mutant(
        "a job that has started in time may still expire",
        "_schedule.py",
        "            self.pending -= 1\n"
        "            if self.is_time_dependent and record in self._expiring:\n"
        "                self._expiring.discard(record)\n",
        "            self.pending -= 1\n",
        "test_delays_and_pauses.py::test_a_job_that_started_in_time_may_be_tried_again_past_it",
    ),
    Mutant(
        "a job that is to be retried expires",
        "_schedule.py",
        "if extras.start_by is not None and not record.attempt:",
        "if extras.start_by is not None:",
        "test_delays_and_pauses.py::test_a_job_that_started_in_time_may_be_tried_again_past_it",
    ),
    Mutant(
        "run_now does nothing",
        "_schedule.py",
        "        if record.pending_queue is not self._delayed:\n            return False\n",
        "        return False\n",
        "test_delays_and_pauses.py::test_run_now_ends_a_delay",
    ),
    # Pauses
    Mutant(
        "a paused queue starts jobs",
        "_schedule.py",
        "while not self.is_stopped and (record",
        "while (record",
        "test_delays_and_pauses.py::test_a_paused_queue_starts_nothing_and_resumes_in_order",
    ),
    Mutant(
        "a paused key starts jobs",
        "_pending.py",
        "            or blocker in self._paused_keys\n",
        "",
        "test_delays_and_pauses.py::test_a_paused_key_holds_up_its_own_jobs_alone",
    ),
    Mutant(
        "a resumed key is offered to no job",
        "_schedule.py",
        "            self._paused_keys.discard(key)\n            self._unblock_next(key)\n",
        "            self._paused_keys.discard(key)\n",
        "test_delays_and_pauses.py::test_a_paused_key_holds_up_its_own_jobs_alone",
    ),
    Mutant(
        "a submitter that has entered is withdrawn",
        "_room.py",
        "        if submission not in self._by_priority:\n            return False\n",
        "",
        "test_keys.py::test_a_job_that_waits_for_room_may_be_superseded_by_what_it_submits",
    ),
    Mutant(
        "a submitter that is being admitted is cancelled",
        "_admission.py",
        "trio.lowlevel.Abort.SUCCEEDED if has_left else trio.lowlevel.Abort.FAILED",
        "trio.lowlevel.Abort.SUCCEEDED",
        "test_keys.py::test_a_job_that_waits_for_room_may_be_superseded_by_what_it_submits",
    ),
    Mutant(
        "an error of a key is raised where room is made",
        "_core.py",
        "            except Exception as refusal:",
        "            except DuplicateJob as refusal:",
        "test_keys.py::test_an_error_of_a_key_is_raised_in_its_submit_even_if_it_comes_late",
    ),
]
