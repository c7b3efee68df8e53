"""``ticketr sandbox`` runs the command of the distribution `jira-sandbox`."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, ticketr

from jira_sandbox.cli import sandbox
from ticketr.app.cli.app import cli


def test_it_has_the_options_of_jira_sandbox() -> None:
    assert cli.commands["sandbox"].params == sandbox.params


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_address_and_ends_with_0_when_it_is_stopped(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*PROGRAM, "sandbox", "--tickets=1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("listening on http://127.0.0.1:")
        process.send_signal(number)
        _, errors = process.communicate(timeout=100)

    assert (process.returncode, errors) == (0, "")


def test_its_errors_are_those_of_ticketr(tmp_path: Path) -> None:
    wrong = ticketr("sandbox", "--faults", "404=1", folder=tmp_path)
    failed = ticketr("sandbox", "--data", "missing/site.db", folder=tmp_path)

    assert (wrong.returncode, failed.returncode) == (2, 1)
    assert wrong.stderr.startswith("ticketr: Invalid value for --faults: '404' is not one of all,")
    assert wrong.stderr.endswith("\ntry 'ticketr sandbox --help'\n")
    assert failed.stderr.startswith("ticketr: the site's file missing/site.db cannot be used: ")
