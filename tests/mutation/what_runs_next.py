"""Mutants of which job a worker takes next."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    # Keys
    Mutant(
        "a key goes to a waiter that has ended",
        "_line.py",
        "        while heap and places.get(heap[0][2]) is not heap[0]:\n            heappop(heap)\n",
        "",
        "test_keys.py::test_a_freed_key_goes_to_the_best_that_lives",
    ),
    Mutant(
        "a waiter that has ended stands in the way of the others",
        "_line.py",
        "        if self._dead:\n            self._bury()\n",
        "",
        "test_line.py::test_who_left_never_comes_to_the_top",
    ),
    Mutant(
        "the dead pile up in a line",
        "_line.py",
        "if self._dead > len(places) + SLACK:",
        "if False:",
        "test_line.py::test_the_dead_do_not_pile_up",
    ),
    Mutant(
        "a waiter that is cancelled gives up a key that another holds",
        "_schedule.py",
        "        if record.key is not None:\n            self._offer(record.key)\n\n    def release",
        "        if record.key is not None:\n            self._holders.pop(record.key, None)\n"
        "            self._offer(record.key)\n\n    def release",
        "test_keys.py::test_a_freed_key_goes_to_the_best_that_lives",
    ),
    Mutant(
        "a free key stays with a waiter that was cancelled",
        "_schedule.py",
        "        if record.key is not None:\n            self._offer(record.key)\n\n    def release",
        "\n    def release",
        "test_keys.py::test_a_free_key_goes_on_when_who_was_offered_it_is_cancelled",
    ),
    Mutant(
        "a key is never given back",
        "_schedule.py",
        "        del self._holders[record.key]\n        self._offer(record.key)\n",
        "        pass\n",
        "test_keys.py::test_a_key_is_free_however_its_job_ends",
    ),
    Mutant(
        "a key that was given back is offered to nobody",
        "_schedule.py",
        "        del self._holders[record.key]\n        self._offer(record.key)\n",
        "        del self._holders[record.key]\n",
        "test_keys.py::test_a_freed_key_goes_to_the_best_that_lives",
    ),
    Mutant(
        "two jobs of a key run at once",
        "_schedule.py",
        "            self._holders[record.key] = record\n",
        "            pass\n",
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
        "the end of a job is not told to who waits for that",
        "_ledger.py",
        "            schedule.ended(record)\n",
        "            pass\n",
        "test_keys.py::test_an_id_that_is_taken_over_runs_when_its_holder_has_ended",
    ),
    Mutant(
        "a cancelled heir takes the ID with it",
        "_ledger.py",
        "            self._give_back_id(record)\n",
        "            pass\n",
        "test_keys.py::test_an_id_is_taken_while_any_job_of_it_lives",
    ),
    Mutant(
        "an ID goes to the holder of the key",
        "_ledger.py",
        "predecessor = self.schedule.predecessor(record)",
        "predecessor = self.schedule.waits_for_end_of(record)",
        "test_keys.py::test_an_id_never_goes_to_who_holds_the_key",
    ),
    Mutant(
        "JOIN takes the new job as well",
        "_ledger.py",
        "        if way is OnConflict.JOIN:\n            return first\n",
        "",
        "test_keys.py::test_joining",
    ),
    Mutant(
        "SUPERSEDE cancels nobody",
        "_ledger.py",
        "victims = rivals if way is OnConflict.SUPERSEDE else []",
        "victims: list[JobRecord] = []",
        "test_keys.py::test_superseding_a_key",
    ),
    Mutant(
        "SUPERSEDE needs room of its own",
        "_ledger.py",
        "inherits = any(victim.status is PENDING for victim in victims)",
        "inherits = False",
        "test_keys.py::test_superseding_a_key",
    ),
    Mutant(
        "SUPERSEDE takes room that is not there",
        "_ledger.py",
        "inherits = any(victim.status is PENDING for victim in victims)",
        "inherits = bool(victims)",
        "test_keys.py::test_superseding_without_room_changes_nothing",
    ),
    Mutant(
        "the ID of a job that has ended is still taken",
        "_rivals.py",
        "namesake is None or namesake.status.is_terminal",
        "namesake is None",
        "test_queue.py::test_an_id_is_taken_while_its_job_lives",
    ),
    # Priorities
    Mutant(
        "waiting weighs nothing against priority",
        "_schedule.py",
        "rank = due_at - record.priority * AGING if",
        "rank = due_at - record.priority * AGING * 1e9 if",
        "test_priority.py::test_waiting_weighs_as_much_as_priority",
    ),
    Mutant(
        "priority weighs nothing",
        "_schedule.py",
        "rank = due_at - record.priority * AGING if record.priority else due_at",
        "rank = due_at",
        "test_priority.py::test_the_highest_priority_runs_first_then_who_came_first",
    ),
    Mutant(
        "a new priority does not move a job",
        "_steering.py",
        "        ledger.schedule.rank_anew(record)\n",
        "        pass\n",
        "test_priority.py::test_set_priority_moves_a_waiting_job",
    ),
    Mutant(
        "a job that comes back has lost its place",
        "_ledger.py",
        "        record.due_at = now + delay\n",
        "        record.due_at = now + delay\n        record.number = next(self._numbers)\n",
        "test_retry.py::test_a_job_that_is_tried_again_keeps_its_place",
    ),
    Mutant(
        "waiting submitters enter as they came, whatever their priority",
        "_schedule.py",
        "-submission.record.priority, next",
        "0, next",
        "test_priority.py::test_waiting_submitters_enter_by_priority_then_arrival",
    ),
    # Workers
    Mutant(
        "only one worker wakes",
        "_ledger.py",
        "        if schedule.pending > self.arriving and self.idle:\n            self.wake()\n",
        "",
        "test_queue.py::test_no_worker_is_idle_while_a_job_waits",
    ),
    Mutant(
        "two wake-ups are under way at once",
        "_ledger.py",
        "        if not self.waking:\n            self.waking = True\n",
        "        if True:\n",
        "test_worker.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a busy worker takes the last job from the one that was woken for it",
        "_worker.py",
        "if schedule.pending > ledger.waking else",
        "if True else",
        "test_worker.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a worker does not linger",
        "_worker.py",
        "if ledger.arriving and not ledger.waking:",
        "if False:",
        "test_worker.py::test_one_small_job_after_the_other_wakes_nobody",
    ),
    Mutant(
        "a worker lingers beside one that is being woken",
        "_worker.py",
        "if ledger.arriving and not ledger.waking:",
        "if ledger.arriving:",
        "test_worker.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "a submit that returns wakes nobody",
        "_ledger.py",
        "        if self.idle and self.schedule.pending:\n            self.wake()\n\n",
        "\n",
        "test_worker.py::test_a_submit_beside_a_long_job_wakes_another_worker",
    ),
    Mutant(
        "a worker is woken for a job whose submit will see to that",
        "_ledger.py",
        "if schedule.pending > self.arriving and self.idle:",
        "if schedule.pending and self.idle:",
        "test_worker.py::test_one_small_job_after_the_other_wakes_nobody",
    ),
    Mutant(
        "a submit wakes a worker while another is about to be free",
        "_ledger.py",
        "if self.idle and (self.waking or not self.running):",
        "if self.idle:",
        "test_worker.py::test_one_small_job_after_the_other_wakes_nobody",
    ),
]
