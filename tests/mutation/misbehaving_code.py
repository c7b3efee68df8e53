"""Mutants of the guards against misbehaving errors of jobs, bodies and callbacks."""

from __future__ import annotations

from typing import Final

from mutation.mutant import Mutant

FAILS = "test_misbehaving_errors.py::test_a_misbehaving_error_fails_its_own_job_and_nothing_else"
CANCELLED = "test_misbehaving_errors.py::test_a_misbehaving_error_of_a_job_that_is_cancelled"
OF_THE_BODY = "test_misbehaving_errors.py::test_a_misbehaving_error_of_the_body_leaves_unchanged"
SPLIT = "test_misbehaving_errors.py::test_a_group_that_cannot_be_split_loses_nothing"
LEFT_OPEN = "test_misbehaving_errors.py::test_a_job_that_leaves_a_nursery_open_has_failed"

MUTANTS: Final = [
    Mutant(
        "an error that refuses attribute changes ends its worker",
        "_groups.py",
        "BaseException.with_traceback(found, None)",
        "found.__traceback__ = None",
        FAILS,
    ),
    Mutant(
        "an error may override its cause",
        "_groups.py",
        'vars(BaseException)["__cause__"].__get__(found)',
        "found.__cause__",
        FAILS,
    ),
    Mutant(
        "an error may override its class",
        "_groups.py",
        "return issubclass(type(error), BaseExceptionGroup)",
        "return isinstance(error, BaseExceptionGroup)",
        FAILS,
    ),
    Mutant(
        "a group may override its members",
        "_groups.py",
        "BaseExceptionGroup.exceptions.__get__(group)",
        "group.exceptions",
        FAILS,
    ),
    Mutant(
        "a deep group is passed to Trio",
        "_groups.py",
        "if depth > DEEPEST or id(found) in seen:",
        "if id(found) in seen:",
        "test_misbehaving_errors.py::test_a_group_is_kept_unless_trio_could_fail_to_split_it",
    ),
    Mutant(
        "a group that cannot be split is passed to Trio",
        "_cancelled.py",
        "(is_small(error) and _can_be_split(error))",
        "is_small(error)",
        SPLIT,
    ),
    Mutant(
        "a group that loses errors when it is split is passed to Trio",
        "_cancelled.py",
        "return found == {id(leaf) for leaf in leaves(group)}",
        "return True",
        SPLIT,
    ),
    Mutant(
        "a job's error is not made splittable before its scope ends",
        "_worker.py",
        "        await reraise_after_cleanup(task, error)",
        "        pass",
        CANCELLED + " " + LEFT_OPEN,
    ),
    Mutant(
        "an error of the body is raised through the nursery",
        "_open.py",
        "await self._nursery.__aexit__(None, None, None)",
        "await self._nursery.__aexit__(kind, error, trace)",
        OF_THE_BODY,
    ),
    Mutant(
        "an exit of a job is raised through the nursery, which prints it",
        "_worker.py",
        "if not any(error is known for known in core.fatal):",
        "if True:",
        "test_retry.py::test_a_rule_that_exits_ends_the_program_and_the_job",
    ),
    Mutant(
        "an exit of a job does not stop the queue",
        "_core_base.py",
        '        self.cancel_tasks("a job or a callback raised what ends the program")\n',
        "",
        "test_misbehaving_errors.py::test_an_exit_of_on_job_error_in_the_middle_ends_the_queue",
    ),
    Mutant(
        "failures after an exit of on_job_error are not reported",
        "_failures.py",
        "                self._on_job_error = log_failure\n",
        "",
        "test_misbehaving_errors.py::test_an_exit_of_on_job_error_leaves_bare_when_the_body_was_fine",
    ),
    Mutant(
        "an exit of a summary leaves its job in the middle of its end",
        "_recorder.py",
        "        except BaseException as error:",
        "        except ZeroDivisionError as error:",
        "test_misbehaving_errors.py::test_an_exit_of_a_summary_that_cannot_be_shown",
    ),
    Mutant(
        "an error that is linked to an endless group is printed",
        "_job.py",
        "if is_printable(error) else",
        "if True else",
        OF_THE_BODY,
    ),
    Mutant(
        "a metaclass may override the name of an error's class",
        "_values.py",
        'type.__dict__["__name__"].__get__(kind)',
        "kind.__name__",
        FAILS,
    ),
    Mutant(
        "a failure does not name the line of its job",
        "_handle.py",
        "    failed.add_note(",
        "    str(",
        "test_misbehaving_errors.py::test_a_failure_that_is_printed_names_the_line_of_the_job",
    ),
    Mutant(
        "a nursery that a job left open is not closed",
        "_worker.py",
        "                if task.child_nurseries:  # it returned",
        "                if False:  # it returned",
        LEFT_OPEN,
    ),
    Mutant(
        "an error of a history that cannot be printed is printed",
        "_recorder.py",
        "safe_str(reason) or safe_repr(reason)",
        "reason",
        "test_recorder.py::test_an_error_without_a_text_is_logged",
    ),
    Mutant(
        "an async generator closes the nursery that it left open once more",
        "_trio_internals.py",
        "    internals._nested_child_finished = _refuse_to_close",
        "    _refuse_to_close",
        "test_misbehaving_errors.py::test_a_nursery_that_an_async_generator_left_open",
    ),
    Mutant(
        "a cancelled job that left a nursery open has not failed",
        "_trio_internals.py",
        "        found.append(RuntimeError(LEFT_OPEN))  # or the fault would be silent\n",
        "        pass\n",
        "test_misbehaving_errors.py::test_a_job_with_a_nursery_left_open_may_be_cancelled",
    ),
    Mutant(
        "errors of the tasks of a nursery left open are lost",
        "_trio_internals.py",
        "        found += await _close_nursery(nursery)\n",
        "        await _close_nursery(nursery)\n",
        "test_misbehaving_errors.py::test_an_exit_out_of_a_nursery_that_is_left_open",
    ),
    Mutant(
        "a block is entered twice",
        "_open.py",
        "        if self._core is not None:\n            raise RuntimeError",
        "        if False:\n            raise RuntimeError",
        "test_misbehaving_errors.py::test_a_block_is_entered_once",
    ),
    Mutant(
        "workers wait for ever for a submit that was resumed",
        "_admission.py",
        "        if submission.is_resumed:\n",
        "        if False:\n",
        "test_queue.py::test_submit_waits_for_room",
    ),
]
