"""Mutants of the end of a queue."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    Mutant(
        "a job whose worker an interrupt hit runs for ever",
        "_worker.py",
        "        retry_or_end(core, task, error)\n        if not any(",
        "        if type(error) is SystemExit:\n            retry_or_end(core, task, error)\n        if not any(",
        "test_interrupts.py::test_an_interrupt_just_before_the_worker_ends_its_job",
    ),
    Mutant(
        "a queue that takes no more jobs closes with none",
        "_shutdown.py",
        "    core.expect_idle()  #",
        "    #",
        "test_ending.py::test_an_exception_in_the_body_cancels_everything_and_leaves_unchanged",
    ),
    Mutant(
        "a pause holds up the end of the queue",
        "_shutdown.py",
        "    paused = core.schedule.lift_pauses()\n",
        "    paused = ()\n",
        "test_delays_and_pauses.py::test_leaving_the_block_lifts_pauses_for_good",
    ),
    Mutant(
        "a queue that ends can be paused",
        "_control.py",
        "        if core.phase.draining:\n",
        "        if False:\n",
        "test_delays_and_pauses.py::test_leaving_the_block_lifts_pauses_for_good",
    ),
    Mutant(
        "a shutdown lets new jobs in",
        "_core.py",
        "        if self.phase.refusing:\n            raise QueueClosed\n",
        "        if self.phase.closed:\n            raise QueueClosed\n",
        "test_queue.py::test_shutdown_refuses_new_jobs_from_the_first_moment",
    ),
    Mutant(
        "a job may shut its queue down without a limit",
        "_control.py",
        "if limit == math.inf:",
        "if grace is None:",
        "test_wait_graph.py::test_waiting_for_the_end_of_everything",
    ),
    Mutant(
        "waiting submitters are admitted by a shutdown",
        "_shutdown.py",
        "        submission.refuse(QueueClosed())\n        core",
        "        core",
        "test_queue.py::test_shutdown_turns_waiting_submitters_away",
    ),
    Mutant(
        "a second shutdown makes the grace longer",
        "_phase.py",
        "self.cut_off_at = min(self.cut_off_at, time)",
        "self.cut_off_at = time",
        "test_queue.py::test_a_second_shutdown_can_only_shorten_the_grace",
    ),
    Mutant(
        "a shutdown waits for a delay",
        "_shutdown.py",
        "    core.cancel_at_shutdown(core.schedule.delayed(core.now()))\n",
        "",
        "test_delays_and_pauses.py::test_a_bounded_shutdown_cancels_what_waits_for_a_time",
    ),
    Mutant(
        "the end of the grace leaves running jobs alone",
        "_shutdown.py",
        "cancel_at_shutdown([*core.schedule.jobs(), *core.running.values()])",
        "cancel_at_shutdown(core.schedule.jobs())",
        "test_queue.py::test_after_its_grace_a_shutdown_cancels_and_waits_for_clean_ups",
    ),
    Mutant(
        "the end of the grace leaves pending jobs alone",
        "_shutdown.py",
        "cancel_at_shutdown([*core.schedule.jobs(), *core.running.values()])",
        "cancel_at_shutdown([*core.running.values()])",
        "test_queue.py::test_a_shutdown_without_grace_calls_no_pending_job",
    ),
    Mutant(
        "pending jobs outlive a cancelled queue",
        "_shutdown.py",
        "    for record in core.schedule.jobs():\n        core.cancel_pending(record, noted)\n",
        "",
        "test_ending.py::test_a_shielded_body_does_not_keep_a_cancelled_queue_open",
    ),
    Mutant(
        "a run without strict groups has no end of the queue",
        "_open.py",
        "trio.open_nursery(strict_exception_groups=True)",
        "trio.open_nursery()",
        "test_interrupts.py::test_an_interrupt_of_an_idle_worker_leaves_by_the_end_of_the_queue",
    ),
    Mutant(
        "leaving the block is not protected from Ctrl+C",
        "_open.py",
        "    @enable_ki_protection\n    async def __aexit__(",
        "    async def __aexit__(",
        "test_interrupts.py::test_every_line_on_the_way_into_a_block_and_out_of_it",
    ),
    Mutant(
        "workers that are cancelled from outside take more jobs",
        "_queue_tasks.py",
        "        abandon(core, CancelCause.SCOPE)\n        # Jobs",
        "        # Jobs",
        "test_ending.py::test_a_shielded_body_does_not_keep_a_cancelled_queue_open",
    ),
    Mutant(
        "the block ends before the last job",
        "_open.py",
        "        if not core.is_idle:\n            await wait_until_idle(core, is_refusable=False)\n",
        "",
        "test_ending.py::test_left_normally_a_block_waits_for_its_jobs",
    ),
    Mutant(
        "a wait for idleness ends though a new job came meanwhile",
        "_shutdown.py",
        "    while not core.is_idle:\n",
        "    if not core.is_idle:\n",
        "test_queue.py::test_wait_idle_is_not_fooled_by_a_job_that_came_in_the_meantime",
    ),
    Mutant(
        "jobs that do not stop are not logged",
        "_shutdown.py",
        "    core.phase.expect_stop(core.now())\n",
        "",
        "test_shutdown.py::test_a_job_that_does_not_stop_is_logged_with_the_line_it_is_at",
    ),
    Mutant(
        "a second shutdown delays the warning of jobs that do not stop",
        "_phase.py",
        "self.stuck_warning_at = min(self.stuck_warning_at, now + self._stuck_warning_interval)",
        "self.stuck_warning_at = now + self._stuck_warning_interval",
        "test_shutdown.py::test_a_second_shutdown_does_not_delay_the_warning",
    ),
    Mutant(
        "a retried job delays the cancellation of all jobs",
        "_timer.py",
        "        self.scope.deadline = min(self.scope.deadline, time)\n",
        "        self.scope.deadline = time\n",
        "test_delays_and_pauses.py::test_a_job_that_is_tried_again_does_not_put_off_the_cut_off",
    ),
]
