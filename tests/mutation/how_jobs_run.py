"""Mutants of how an attempt runs, when there is another, and what is left of a job."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

MUTANTS: Final = [
    # Time limits and retries
    Mutant(
        "a time limit runs from the submit",
        "_ledger.py",
        "record.scope.relative_deadline = record.timeout",
        "record.scope.deadline = record.submitted_at + record.timeout",
        "test_worker.py::test_a_time_limit_runs_from_the_start_not_from_the_submit",
    ),
    Mutant(
        "a job that was cancelled is tried again",
        "_worker.py",
        "    verdict = judge(error, asked=record.cancel_requested)\n",
        "    verdict = judge(error, asked=record.cancel_requested)\n"
        "    record.cancel_requested = False\n",
        "test_retry.py::test_after_a_cancel_there_is_no_further_attempt",
    ),
    Mutant(
        "a job that its own retry rule cancels is tried again",
        "_worker.py",
        "if delay is None or record.cancel_requested:",
        "if delay is None:",
        "test_retry.py::test_a_rule_that_cancels_the_job_tries_nothing_again",
    ),
    Mutant(
        "a retry rule that exits leaves its job running for ever",
        "_worker.py",
        "except BaseException as interrupt:",
        "except ZeroDivisionError as interrupt:",
        "test_retry.py::test_a_rule_that_exits_ends_the_program_and_the_job",
    ),
    Mutant(
        "a job is tried again under an outer cancel",
        "_worker.py",
        "if ledger.ending is not None or trio.current_effective_deadline() == -math.inf:",
        "if False:",
        "test_retry.py::test_under_an_outer_cancel_there_is_no_further_attempt",
    ),
    Mutant(
        "a cancelled job that asks for later has failed",
        "_worker.py",
        "isinstance(lone(rest), RetryLater) and (asked or outside)",
        "isinstance(lone(rest), RetryLater) and outside",
        "test_retry.py::test_after_a_cancel_there_is_no_further_attempt",
    ),
    Mutant(
        "a job that asks for later under an outer cancel has failed",
        "_worker.py",
        "isinstance(lone(rest), RetryLater) and (asked or outside)",
        "isinstance(lone(rest), RetryLater) and asked",
        "test_retry.py::test_under_an_outer_cancel_there_is_no_further_attempt",
    ),
    Mutant(
        "RetryLater uses up an attempt",
        "_worker.py",
        "record.snoozes += 1",
        "record.snoozes += 0",
        "test_retry.py::test_trying_later_uses_up_no_attempt",
    ),
    Mutant(
        "RetryLater in a group is not heard",
        "_retry.py",
        "if len(only) == 1 and isinstance(only[0], RetryLater):\n        return only[0].delay",
        "if isinstance(error, RetryLater):\n        return error.delay",
        "test_retry.py::test_trying_later_uses_up_no_attempt",
    ),
    Mutant(
        "GiveUp does not end the retries",
        "_retry.py",
        "    if len(only) == 1 and isinstance(only[0], GiveUp):\n        return None\n",
        "",
        "test_retry.py::test_a_job_may_give_up",
    ),
    Mutant(
        "one attempt too many",
        "_retry.py",
        "used >= retry.attempts",
        "used > retry.attempts",
        "test_retry.py::test_the_last_failure_counts",
    ),
    Mutant(
        "one error of the right class in a group is enough to try again",
        "_retry.py",
        "return all(isinstance(leaf, kinds)",
        "return any(isinstance(leaf, kinds)",
        "test_retry.py::test_which_errors_are_tried_again",
    ),
    Mutant(
        "a high attempt overflows the wait",
        "_retry.py",
        "except OverflowError:",
        "except ZeroDivisionError:",
        "test_retry.py::test_no_wait_is_out_of_bounds",
    ),
    Mutant(
        "jitter makes a wait longer than its bound",
        "_retry.py",
        "wait *= 1 - self.jitter + self.jitter * self.random()",
        "wait *= 1 + self.jitter * (self.random() - 0.5)",
        "test_retry.py::test_jitter_is_the_part_that_is_random",
    ),
    Mutant(
        "a random source gone wild breaks the bounds of a wait",
        "_retry.py",
        "return max(0.0, min(wait, self.cap))",
        "return wait",
        "test_retry.py::test_not_even_a_source_of_chance_gone_wild_leads_out_of_bounds",
    ),
    Mutant(
        "a retry rule that raises takes the worker down",
        "_worker.py",
        '    except Exception:\n        logger.exception("the retry rule',
        '    except ZeroDivisionError:\n        logger.exception("the retry rule',
        "test_retry.py::test_a_rule_that_raises_tries_nothing_again",
    ),
    Mutant(
        "a job between attempts keeps its key",
        "_ledger.py",
        "        if record.key is not None:\n            self.schedule.release(record)\n",
        "",
        "test_retry.py::test_a_job_between_attempts_holds_neither_worker_nor_key_nor_room",
    ),
    Mutant(
        "a job between attempts cannot be cancelled",
        "_ledger.py",
        "record.scope = record.worker = None\n        now",
        "record.worker = None\n        now",
        "test_retry.py::test_a_cancel_between_attempts_is_final_at_once",
    ),
    Mutant(
        "a bounded shutdown waits for a job between attempts",
        "_ledger.py",
        "        if self.bounded and record.due_at > now:\n",
        "        if False:\n",
        "test_retry.py::test_a_bounded_shutdown_waits_for_no_further_attempt",
    ),
    # Context variables and what stays alive
    Mutant(
        "a job sees the context variables of its worker",
        "_worker.py",
        "            task.context = record.context\n",
        "            task.context = home\n",
        "test_worker.py::test_a_job_sees_the_context_of_its_submitter",
    ),
    Mutant(
        "a worker that is woken has to change context by itself",
        "_ledger.py",
        "        self.idle[0].context = record.context\n",
        "",
        "test_worker.py::test_a_job_costs_its_worker_one_step",
    ),
    Mutant(
        "an attempt sees what the one before changed",
        "_ledger.py",
        "record.context, record.spare_context = record.spare_context, None",
        "record.spare_context = None",
        "test_retry.py::test_each_attempt_begins_afresh",
    ),
    Mutant(
        "an attempt begins with the progress of the one before",
        "_ledger.py",
        "        if record.attempt > 1:\n",
        "        if False:\n",
        "test_retry.py::test_each_attempt_begins_afresh",
    ),
    Mutant(
        "an ended job keeps its function, arguments and context",
        "_job.py",
        "        self.function, self.args, self.context = _gone, (), _NO_CONTEXT\n",
        "",
        "test_worker.py::test_a_job_that_has_ended_keeps_nothing_alive",
    ),
    Mutant(
        "an ended job keeps the context of an attempt that never came",
        "_job.py",
        "        self.spare_context = self.retry = None\n",
        "        self.retry = None\n",
        "test_worker.py::test_a_job_that_has_ended_keeps_neither_its_rule_nor_its_submitters_variables",
    ),
    Mutant(
        "a failed job keeps its frames",
        "_worker.py",
        "            strip_tracebacks(error)\n",
        "            pass\n",
        "test_worker.py::test_a_job_that_has_ended_keeps_nothing_alive",
    ),
    Mutant(
        "an idle worker keeps its last job",
        "_worker.py",
        "        del record  # an idle worker",
        "        # an idle worker",
        "test_worker.py::test_a_forgotten_job_keeps_nothing_alive_at_all",
    ),
]
