"""Mutants of the order in which jobs run."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    # Times of waiting submitters
    Mutant(
        "a submit that waits for room does not end when its time passes",
        "_queue_tasks.py",
        "    while (submission := core.schedule.submissions.expired(now)) is not None:",
        "    while (submission := None) is not None:",
        "test_delays_and_pauses.py::test_a_submit_that_waits_for_room_ends_when_its_time_passes",
    ),
    Mutant(
        "the timer ignores a submit that waits for room until a time",
        "_admission.py",
        "        core.timer.wake_at(schedule.next_time())\n",
        "        pass\n",
        "test_delays_and_pauses.py::test_a_submit_that_waits_for_room_ends_when_its_time_passes",
    ),
    Mutant(
        "a submit that waits no longer expires",
        "_room.py",
        "        if submission in self.by_deadline:\n",
        "        if False:\n",
        "test_delays_and_pauses.py::test_a_submit_that_waits_no_longer_does_not_expire",
    ),
    Mutant(
        "a job that comes too late supersedes others",
        "_conflicts.py",
        "not (is_late or is_doomed(record))",
        "not is_doomed(record)",
        "test_delays_and_pauses.py::test_a_job_that_comes_too_late_supersedes_no_other",
    ),
    # Keys
    Mutant(
        "a removed item is first in the queue",
        "_priority_queue.py",
        "        while queue and entries.get(queue[0][2]) is not queue[0]:\n"
        "            dropped.append(queue.popleft())\n",
        "",
        "test_priority_queue.py::test_an_item_removed_from_the_middle_is_skipped_and_may_be_added_again",
    ),
    Mutant(
        "a removed item is first in the heap",
        "_priority_queue.py",
        "        while heap and entries.get(heap[0][2]) is not heap[0]:\n"
        "            dropped.append(heappop(heap))\n",
        "",
        "test_priority_queue.py::test_any_mixture_comes_out_sorted",
    ),
    Mutant(
        "an item out of order goes last",
        "_priority_queue.py",
        "        if not queue or queue[-1] < entry:\n",
        "        if True:\n",
        "test_priority_queue.py::test_the_lowest_rank_is_first_then_the_lowest_number",
    ),
    Mutant(
        "the heap waits until the deque is empty",
        "_priority_queue.py",
        "        if heap and (not queue or heap[0] < queue[0]):\n            item",
        "        if heap and not queue:\n            item",
        "test_priority_queue.py::test_the_lowest_rank_is_first_then_the_lowest_number",
    ),
    Mutant(
        "a removed item at the front blocks the others",
        "_priority_queue.py",
        "        while self._stale and self._drop_stale():\n            pass\n"
        "        queue, heap = self._queue, self._heap\n"
        "        if heap and (not queue or heap[0] < queue[0]):\n            item",
        "        queue, heap = self._queue, self._heap\n"
        "        if heap and (not queue or heap[0] < queue[0]):\n            item",
        "test_priority_queue.py::test_a_removed_item_never_becomes_first",
    ),
    Mutant(
        "stale entries accumulate in a queue",
        "_priority_queue.py",
        "if self._stale > len(entries) + MAX_STALE:",
        "if False:",
        "test_priority_queue.py::test_stale_entries_do_not_accumulate",
    ),
    Mutant(
        "a waiter that is cancelled gives up a key that another holds",
        "_schedule.py",
        "        if record.extras.key_slot is not None:\n            self._unblock_next(",
        "        if record.extras.key_slot is not None:\n"
        "            self._key_holders.pop(record.extras.key_slot, None)\n"
        "            self._unblock_next(",
        "test_keys.py::test_a_freed_key_goes_to_the_best_that_lives",
    ),
    Mutant(
        "a free key stays with a waiter that was cancelled",
        "_schedule.py",
        "        if record.extras.key_slot is not None:\n"
        "            self._unblock_next(record.extras.key_slot)\n",
        "",
        "test_keys.py::test_a_free_key_goes_on_when_the_job_it_was_offered_to_is_cancelled",
    ),
    Mutant(
        "a key is never given back",
        "_schedule.py",
        "        del self._key_holders[key_slot]\n        self._key_changed(key_slot)\n",
        "        pass\n",
        "test_keys.py::test_a_key_is_free_however_its_job_ends",
    ),
    Mutant(
        "a released key is offered to no job",
        "_schedule.py",
        "        del self._key_holders[key_slot]\n        self._key_changed(key_slot)\n",
        "        del self._key_holders[key_slot]\n",
        "test_keys.py::test_a_freed_key_goes_to_the_best_that_lives",
    ),
    Mutant(
        "two jobs of a key run at once",
        "_schedule.py",
        "                self._key_holders[record.extras.key_slot] = record\n",
        "                pass\n",
        "test_keys.py::test_one_job_of_a_key_runs_at_a_time_and_holds_up_no_other",
    ),
    Mutant(
        "a job does not wait for the end of the one that has its ID",
        "_schedule.py",
        "        if (predecessor := self.predecessor(record)) is not None:\n            return predecessor\n",
        "",
        "test_keys.py::test_an_id_that_is_taken_over_runs_when_its_holder_has_ended",
    ),
    Mutant(
        "the end of a job does not unblock the job that waits for it",
        "_core.py",
        "            schedule.unblock_successors(record)\n",
        "            pass\n",
        "test_keys.py::test_an_id_that_is_taken_over_runs_when_its_holder_has_ended",
    ),
    Mutant(
        "a cancelled successor takes the ID with it",
        "_registry.py",
        "                self.by_id[record.id] = predecessor\n",
        "                pass\n",
        "test_keys.py::test_an_id_is_taken_while_any_job_of_it_lives",
    ),
    Mutant(
        "an ID goes to the holder of the key",
        "_registry.py",
        "predecessor = self._schedule.predecessor(record)",
        "predecessor = self._schedule.blocking_job(record)",
        "test_keys.py::test_an_id_never_goes_to_the_holder_of_the_key",
    ),
    Mutant(
        "JOIN takes the new job as well",
        "_conflicts.py",
        "    if extras.on_conflict is OnConflict.JOIN:\n        return first\n",
        "    if extras.on_conflict is OnConflict.JOIN:\n        return record\n",
        "test_keys.py::test_joining",
    ),
    Mutant(
        "SUPERSEDE cancels no job",
        "_conflicts.py",
        "jobs if supersedes else ()",
        "()",
        "test_keys.py::test_superseding_a_key",
    ),
    Mutant(
        "SUPERSEDE needs room of its own",
        "_conflicts.py",
        "any(job.status is PENDING for job in self.superseded)",
        "False",
        "test_keys.py::test_superseding_a_key",
    ),
    Mutant(
        "SUPERSEDE takes room that is not there",
        "_conflicts.py",
        "any(job.status is PENDING for job in self.superseded)",
        "bool(self.superseded)",
        "test_keys.py::test_superseding_without_room_changes_nothing",
    ),
    Mutant(
        "the ID of a job that has ended is still taken",
        "_conflicts.py",
        "same_id is None or same_id.status.is_terminal",
        "same_id is None",
        "test_queue.py::test_an_id_is_taken_while_its_job_lives",
    ),
    # Priorities
    Mutant(
        "waiting does not raise the rank of a job",
        "_schedule.py",
        "record.due_at - record.extras.priority * AGING,",
        "record.due_at - record.extras.priority * AGING * 1e9,",
        "test_priority.py::test_waiting_weighs_as_much_as_priority",
    ),
    Mutant(
        "priority is ignored",
        "_schedule.py",
        "record.due_at - record.extras.priority * AGING,",
        "record.due_at,",
        "test_priority.py::test_the_highest_priority_runs_first_then_the_first_submitted",
    ),
    Mutant(
        "a new priority does not move a job",
        "_control.py",
        "            core.schedule.rerank(record)\n",
        "            pass\n",
        "test_priority.py::test_set_priority_moves_a_waiting_job",
    ),
    Mutant(
        "a retried job loses its place",
        "_core.py",
        "        record.back_off(now + delay, is_counted=is_counted)\n",
        "        record.back_off(now + delay, is_counted=is_counted)\n        record.number = next(self._numbers)\n",
        "test_retry.py::test_a_job_that_is_tried_again_keeps_its_place",
    ),
    Mutant(
        "waiting submitters enter in order of arrival only",
        "_room.py",
        "-submission.record.extras.priority, number",
        "0, number",
        "test_priority.py::test_waiting_submitters_enter_by_priority_then_arrival",
    ),
    # Workers
    Mutant(
        "only one worker wakes",
        "_dispatch.py",
        "        if self._schedule.pending > self.returning_submits:\n            self.wake()\n",
        "",
        "test_queue.py::test_no_worker_is_idle_while_a_job_waits",
    ),
    Mutant(
        "two wake-ups are under way at once",
        "_dispatch.py",
        "        if not self.wakeup_pending:\n            self.wakeup_pending = True\n            self.wakeup_sender",
        "        if True:\n            self.wakeup_sender",
        "test_worker_steps.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a busy worker takes the last job from the one that was woken for it",
        "_worker.py",
        "if schedule.pending > dispatcher.wakeup_pending:",
        "if True:",
        "test_worker_steps.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a worker does not linger",
        "_dispatch.py",
        "if self.returning_submits and not self.wakeup_pending:",
        "if False:",
        "test_worker_steps.py::test_one_small_job_after_the_other_wakes_no_worker",
    ),
    Mutant(
        "a worker lingers beside one that is being woken",
        "_dispatch.py",
        "if self.returning_submits and not self.wakeup_pending:",
        "if self.returning_submits:",
        "test_worker_steps.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a submit that returns wakes no worker",
        "_dispatch.py",
        "        if self.idle and not self.wakeup_pending and self._schedule.pending:\n",
        "        if False:\n",
        "test_worker_steps.py::test_a_submit_beside_a_long_job_wakes_another_worker",
    ),
    Mutant(
        "a worker is woken for a job whose submit has yet to return",
        "_dispatch.py",
        "if self._schedule.pending > self.returning_submits:",
        "if self._schedule.pending:",
        "test_worker_steps.py::test_one_small_job_after_the_other_wakes_no_worker",
    ),
    Mutant(
        "a submit wakes a worker while another is about to be free",
        "_dispatch.py",
        "(record.call[2] if self.wakeup_pending else not self._running)",
        "True",
        "test_worker_steps.py::test_one_small_job_after_the_other_wakes_no_worker",
    ),
    Mutant(
        "a lingering worker takes an extra step to change context",
        "_dispatch.py",
        "(record.call[2] if self.wakeup_pending else not self._running)",
        "not self.wakeup_pending and not self._running",
        "test_worker_steps.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a worker that has lingered takes an extra step",
        "_worker.py",
        "is_free = task.context is waiting_context",
        "is_free = False",
        "test_worker_steps.py::test_a_job_without_context_variables_costs_its_worker_one_step",
    ),
    Mutant(
        "a woken worker runs a job in the context of another",
        "_worker.py",
        "is_free = task.context is waiting_context",
        "is_free = True",
        "test_worker_steps.py::test_a_woken_worker_runs_no_job_among_what_another_may_see",
    ),
    Mutant(
        "an idle worker keeps what a job left in its context",
        "_worker.py",
        "                if task.context:\n",
        "                if False:\n",
        "test_worker_steps.py::test_an_idle_worker_keeps_nothing_that_a_job_left_in_its_context",
    ),
    Mutant(
        "a finalizer finds a queue in an inconsistent state",
        "_priority_queue.py",
        "            dropped.append(queue.popleft())\n",
        "            dropped.append(queue.popleft()[:1])\n",
        "test_priority_queue.py::test_a_finalizer_may_change_the_queue",
    ),
    Mutant(
        "the equality of a key is used when its job ends",
        "_key_table.py",
        "        same_hash.remove(slot)\n",
        "        same_hash.remove(next(one for one in same_hash if one.key == slot.key))\n",
        "test_misbehaving_keys.py::test_a_key_that_breaks_later_affects_no_other_job",
    ),
    Mutant(
        "a key is hashed again when its job ends",
        "_key_table.py",
        "        same_hash = self._by_hash[slot.hash]\n",
        "        same_hash = self._by_hash[hash(slot.key)]\n",
        "test_misbehaving_keys.py::test_a_key_that_breaks_later_affects_no_other_job",
    ),
    Mutant(
        "a job is taken before its key has been looked up",
        "_conflicts.py",
        "        key_slot = conflicts.key_slot or registry.keys.add(extras.key)\n",
        "        registry._schedule.pending += 1\n"
        "        key_slot = conflicts.key_slot or registry.keys.add(extras.key)\n"
        "        registry._schedule.pending -= 1\n",
        "test_misbehaving_keys.py::test_a_key_that_breaks_when_it_is_stored_fails_the_submit",
    ),
    Mutant(
        "the equality of keys with another hash is used",
        "_key_table.py",
        "return self.hash == key_hash and (",
        "return (",
        "test_misbehaving_keys.py::test_a_broken_key_does_not_affect_calls_about_another_key",
    ),
    Mutant(
        "a key that is paused is forgotten with its last job",
        "_registry.py",
        "if not key_slot.jobs and not self._schedule.needs_key(key_slot):",
        "if not key_slot.jobs:",
        "test_misbehaving_keys.py::test_a_pause_of_a_key_holds_between_its_jobs",
    ),
    Mutant(
        "an unused key is kept after its pause",
        "_control.py",
        "        if key_slot is not None:\n            core.registry.remove_unused(key_slot)\n        core.mark",
        "        core.mark",
        "test_misbehaving_keys.py::test_a_pause_of_a_key_holds_between_its_jobs",
    ),
    Mutant(
        "an unused key is kept after all pauses",
        "_shutdown.py",
        "        core.registry.remove_unused(key_slot)\n",
        "        pass\n",
        "test_unexpected_values.py::test_an_unexpected_value_is_refused_with_a_message_or_taken",
    ),
    Mutant(
        "a worker takes an extra step between two jobs that sleep",
        "_worker.py",
        "            is_free = task.custom_sleep_data is None\n",
        "",
        "test_worker_steps.py::test_a_job_that_slept_leaves_its_worker_to_the_next_one_in_the_same_step",
    ),
    Mutant(
        "a worker runs one job after the other without a checkpoint",
        "_worker.py",
        "            is_free = task.custom_sleep_data is None\n",
        "            is_free = True\n",
        "test_worker_steps.py::test_between_two_jobs_that_do_not_sleep_others_have_a_turn",
    ),
    Mutant(
        "a job sees what the last one left in its context",
        "_worker.py",
        "is_free and not task.context and not variables",
        "is_free and not variables",
        "test_worker_steps.py::test_the_next_job_sees_its_own_context_only",
    ),
    Mutant(
        "a job does not see its submitter's variables after one that had none",
        "_worker.py",
        "is_free and not task.context and not variables",
        "is_free and not task.context",
        "test_worker_steps.py::test_the_next_job_sees_its_own_context_only",
    ),
    Mutant(
        "a job that waits for the ID of one that is cancelled while pending waits for ever",
        "_core.py",
        "        if schedule.blocked:\n            schedule.unblock_successors(record)\n",
        "        if schedule.blocked and was_running:\n            schedule.unblock_successors(record)\n",
        "test_keys.py::test_a_successor_goes_on_when_one_before_it_is_cancelled",
    ),
    Mutant(
        "a job that is cancelled is still among those that expire",
        "_schedule.py",
        "        record.pending_queue = self._ready  # that of a key may be gone soon\n"
        "        if self.is_time_dependent and record in self._expiring:\n"
        "            self._expiring.discard(record)\n",
        "        record.pending_queue = self._ready  # that of a key may be gone soon\n",
        "test_schedule.py::test_one_that_goes_has_no_time_any_more_by_which_it_must_have_started",
    ),
    Mutant(
        "a job that has started is still among those that expire",
        "_schedule.py",
        "            if self.is_time_dependent and record in self._expiring:\n"
        "                self._expiring.discard(record)\n            return record\n",
        "            return record\n",
        "test_schedule.py::test_one_that_goes_has_no_time_any_more_by_which_it_must_have_started",
    ),
]
