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
        "_closing.py",
        "    core.idle_event()  #",
        "    #",
        "test_ending.py::test_an_exception_in_the_body_cancels_everything_and_leaves_unchanged",
    ),
    Mutant(
        "a pause holds up the end of the queue",
        "_closing.py",
        "    paused = core.schedule.lift_pauses()\n",
        "    paused = ()\n",
        "test_delays_and_pauses.py::test_leaving_the_block_lifts_pauses_for_good",
    ),
    Mutant(
        "a queue that ends can be paused",
        "_steering.py",
        "    if core.draining:\n",
        "    if False:\n",
        "test_delays_and_pauses.py::test_leaving_the_block_lifts_pauses_for_good",
    ),
    Mutant(
        "a shutdown lets new jobs in",
        "_core.py",
        "        if self.refusing:\n            raise QueueClosed\n",
        "        if self.closed:\n            raise QueueClosed\n",
        "test_queue.py::test_shutdown_refuses_new_jobs_from_the_first_moment",
    ),
    Mutant(
        "a job may shut its queue down without a limit",
        "_queue.py",
        "if limit == math.inf:",
        "if grace is None:",
        "test_wait_graph.py::test_waiting_for_the_end_of_everything",
    ),
    Mutant(
        "waiting submitters are admitted by a shutdown",
        "_closing.py",
        "        submission.refusal = QueueClosed()\n        core.resume_submitter",
        "        core.resume_submitter",
        "test_queue.py::test_shutdown_turns_waiting_submitters_away",
    ),
    Mutant(
        "a second shutdown makes the grace longer",
        "_closing.py",
        "core.cut_off_at = min(core.cut_off_at, core.now() + seconds)",
        "core.cut_off_at = core.now() + seconds",
        "test_queue.py::test_a_second_shutdown_can_only_shorten_the_grace",
    ),
    Mutant(
        "a shutdown waits for a delay",
        "_closing.py",
        "    for record in core.schedule.delayed():\n"
        '        core.cancel(record, CancelCause.SHUTDOWN, "the queue is shutting down")\n',
        "",
        "test_delays_and_pauses.py::test_a_bounded_shutdown_cancels_what_waits_for_a_time",
    ),
    Mutant(
        "the end of the grace leaves running jobs alone",
        "_closing.py",
        "for record in [*core.schedule.jobs(), *core.running.values()]:",
        "for record in core.schedule.jobs():",
        "test_queue.py::test_after_its_grace_a_shutdown_cancels_and_waits_for_clean_ups",
    ),
    Mutant(
        "the end of the grace leaves pending jobs alone",
        "_closing.py",
        "for record in [*core.schedule.jobs(), *core.running.values()]:",
        "for record in [*core.running.values()]:",
        "test_queue.py::test_a_shutdown_without_grace_calls_no_pending_job",
    ),
    Mutant(
        "pending jobs outlive a cancelled queue",
        "_closing.py",
        "    for record in core.schedule.jobs():\n        core.cancel_pending(record, core.cut_off_cause)\n",
        "",
        "test_ending.py::test_a_shielded_body_does_not_keep_a_cancelled_queue_open",
    ),
    Mutant(
        "a run without strict groups has no end of the queue",
        "_open.py",
        "trio.open_nursery(strict_exception_groups=True)",
        "trio.open_nursery()",
        "test_ending.py::test_a_run_without_strict_groups_is_no_different",
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
        "_worker.py",
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
        "_closing.py",
        "    while not core.is_idle:\n",
        "    if not core.is_idle:\n",
        "test_queue.py::test_wait_idle_is_not_fooled_by_a_job_that_came_in_the_meantime",
    ),
    Mutant(
        "jobs that do not stop are not logged",
        "_closing.py",
        "    core.stuck_warning_at = min(core.stuck_warning_at, core.now() + core.stuck_warning_interval)\n",
        "",
        "test_closing.py::test_a_job_that_does_not_stop_is_logged_with_the_line_it_is_at",
    ),
    Mutant(
        "a second shutdown delays the warning of jobs that do not stop",
        "_closing.py",
        "core.stuck_warning_at = min(core.stuck_warning_at, core.now() + core.stuck_warning_interval)",
        "core.stuck_warning_at = core.now() + core.stuck_warning_interval",
        "test_closing.py::test_a_second_shutdown_does_not_delay_the_warning",
    ),
    Mutant(
        "a retried job delays the cancellation of all jobs",
        "_core.py",
        "self.timer_scope.deadline = min(self.timer_scope.deadline, self.schedule.next_time())",
        "self.timer_scope.deadline = self.schedule.next_time()",
        "test_delays_and_pauses.py::test_a_job_that_is_tried_again_does_not_put_off_the_cut_off",
    ),
]
