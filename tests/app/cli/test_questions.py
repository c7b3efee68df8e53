"""Ctrl+C at a question, whatever the answer that follows it."""

from __future__ import annotations

import sys

import pytest
from fakes.ptys import job_on_pty

# The stream interrupts the program as it flushes the question, where input() discards the error.
PROGRAM = """
import io, signal, sys

class Interrupting(io.TextIOWrapper):
    shown = ""
    def write(self, text):
        self.shown += text
        return super().write(text)
    def flush(self):
        super().flush()
        if self.shown.endswith(": "):
            self.shown = ""
            signal.raise_signal(signal.SIGINT)

sys.stderr = Interrupting(open(2, "wb", buffering=0), write_through=True)

import click
from ticketr.app.cli.questions import ask, confirm

try:
    print("answer:", {question}, flush=True)
except click.Abort:
    print("aborted", flush=True)
"""


@pytest.mark.parametrize(
    ("question", "answer"),
    [("confirm('Send it?')", "y\r"), ("ask('Site')", "a.example\r")],
    ids=["a question", "a text"],
)
def test_ctrl_c_while_a_question_is_printed_ends_it(question: str, answer: str) -> None:
    command = [sys.executable, "-c", PROGRAM.replace("{question}", question)]

    with job_on_pty(command) as pty:
        pty.wait_for(": ")
        pty.type(answer)
        pty.wait_for("aborted")
        assert pty.wait_for_end() == 0


def test_an_answer_without_ctrl_c_counts() -> None:
    program = PROGRAM.replace("{question}", "confirm('Send it?')").replace(
        "raise_signal", "Signals"
    )

    with job_on_pty([sys.executable, "-c", program]) as pty:
        pty.wait_for(": ")
        pty.type("y\r")
        pty.wait_for("answer: True")
