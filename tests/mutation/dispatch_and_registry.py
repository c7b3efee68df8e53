"""Mutants of the dispatcher and the registry, which are tested by themselves."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

DISPATCH = "test_dispatch.py::"
REGISTRY = "test_registry.py::"

MUTANTS: Final = [
    Mutant(
        "a worker that is being woken is sent another message",
        "_dispatch.py",
        "        if not self.wakeup_pending:\n            self.wakeup_pending = True\n            self.wakeup_sender",
        "        if True:\n            self.wakeup_pending = True\n            self.wakeup_sender",
        DISPATCH + "test_one_wake_up_is_under_way_at_a_time",
    ),
    Mutant(
        "a worker that takes a job wakes the next one for those that submits see to",
        "_dispatch.py",
        "        if self._schedule.pending > self.returning_submits:",
        "        if True:",
        DISPATCH + "test_a_job_of_a_submit_that_returns_wakes_no_worker_while_another_job_runs",
    ),
    Mutant(
        "a worker that looks again without a message is behind the others",
        "_dispatch.py",
        "            self.idle.appendleft(worker)",
        "            self.idle.append(worker)",
        DISPATCH + "test_a_job_that_enters_meanwhile_switches_the_context_of_the_worker_that_looks",
    ),
    Mutant(
        "a submit that has returned wakes no worker",
        "_dispatch.py",
        "        if self.idle and not self.wakeup_pending and self._schedule.pending:\n            self.wake()",
        "        pass",
        DISPATCH + "test_a_job_of_a_submit_that_returns_wakes_no_worker_while_another_job_runs",
    ),
    Mutant(
        "a worker that was not counted as idle cannot stop waiting",
        "_dispatch.py",
        "        if worker in self.idle:\n            self.idle.remove(worker)",
        "        self.idle.remove(worker)",
        DISPATCH + "test_a_worker_that_was_never_idle_may_stop_waiting",
    ),
    Mutant(
        "a submit that is about to return wakes a worker beside a running job",
        "_dispatch.py",
        "else not self._running):",
        "else True):",
        DISPATCH + "test_a_job_of_a_submit_that_returns_wakes_no_worker_while_another_job_runs",
    ),
    Mutant(
        "a submit that is about to return wakes no worker of an idle queue",
        "_dispatch.py",
        "        if self.idle and (record.call[2] if self.wakeup_pending else not self._running):",
        "        if False:",
        DISPATCH + "test_a_job_of_a_submit_that_returns_wakes_a_worker_if_no_other_job_runs",
    ),
    Mutant(
        "a job that enters does not switch the context of the worker that looks",
        "_dispatch.py",
        "(record.call[2] if self.wakeup_pending else not self._running)",
        "(not self._running)",
        DISPATCH + "test_a_job_that_enters_meanwhile_switches_the_context_of_the_worker_that_looks",
    ),
    Mutant(
        "a wake-up does not switch the context of the worker",
        "_dispatch.py",
        "        switch_context(self.idle[0], record.context)\n",
        "",
        DISPATCH + "test_a_worker_wakes_up_in_the_context_of_the_best_job_by_then",
    ),
    Mutant(
        "an ID that a submit has chosen is made up again",
        "_registry.py",
        "        while job_id in self.by_id:\n",
        "        while False:\n",
        REGISTRY + "test_an_id_that_is_made_up_is_none_that_a_submit_has_chosen",
    ),
    Mutant(
        "a job that was cancelled counts as completed",
        "_registry.py",
        " - self.unsuccessful[CANCELLED]\n",
        "\n",
        REGISTRY + "test_all_jobs_are_counted_once",
    ),
    Mutant(
        "a worker that has been woken counts as being woken",
        "_dispatch.py",
        "        self.wakeup_pending = False\n        if worker in self.idle:\n",
        "        if worker in self.idle:\n",
        DISPATCH + "test_one_wake_up_is_under_way_at_a_time",
    ),
    Mutant(
        "a map wakes a worker although a reader returns",
        "_dispatch.py",
        "else not self.returning_submits):",
        "else True):",
        DISPATCH + "test_a_job_of_a_map_wakes_a_worker_unless_a_reader_returns",
    ),
    Mutant(
        "an ID goes back to its holder though a later job has it",
        "_registry.py",
        "            if predecessor is not None and self.by_id.get(record.id) is record:",
        "            if predecessor is not None:",
        REGISTRY + "test_an_id_stays_with_the_last_job_when_one_between_ends",
    ),
    Mutant(
        "a key outlives its last job",
        "_registry.py",
        "            key_slot.discard(record)\n            self.remove_unused(key_slot)",
        "            key_slot.discard(record)",
        REGISTRY + "test_a_key_is_forgotten_with_its_last_job",
    ),
    Mutant(
        "a paused key is forgotten with its last job",
        "_registry.py",
        "        if not key_slot.jobs and not self._schedule.needs_key(key_slot):",
        "        if not key_slot.jobs:",
        REGISTRY + "test_a_paused_key_outlives_its_last_job",
    ),
    Mutant(
        "an ended job whose ID another one has is selected",
        "_registry.py",
        "if self.by_id.get(job.id) is job]",
        "if True]",
        REGISTRY + "test_an_ended_job_whose_id_another_one_has_is_not_selected",
    ),
    Mutant(
        "jobs are selected in no order",
        "_registry.py",
        "sorted(jobs, key=lambda job: job.number)",
        "jobs",
        REGISTRY + "test_jobs_are_selected_by_key_and_tag_in_the_order_of_submission",
    ),
    Mutant(
        "what is due to be dropped counts as kept",
        "_registry.py",
        "        return self.ended - self.finished.kept",
        "        return self.ended - len(self.finished.jobs)",
        REGISTRY + "test_what_is_not_kept_counts_as_evicted",
    ),
    Mutant(
        "an ID does not go back to its holder",
        "_registry.py",
        "                self.by_id[record.id] = predecessor",
        "                pass",
        REGISTRY + "test_an_id_goes_back_to_its_holder_when_the_job_that_waits_for_it_ends",
    ),
]
