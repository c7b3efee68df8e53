"""Check what works without the packages of the extras."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ticketr.app.cli import APP_MODULES

WITHOUT = """
import sys
from importlib.machinery import PathFinder

MISSING = sys.argv.pop(1).split(",")

class Finder(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name.partition(".")[0] in MISSING:
            return None
        return super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Finder
"""


def run_without(modules: str, program: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process that cannot import some modules."""
    command = [sys.executable, "-W", "error", "-c", WITHOUT + program, modules]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


def test_the_library_needs_no_module_of_the_app() -> None:
    done = run_without(",".join(APP_MODULES), "import ticketr.testing, ticketr")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("module", APP_MODULES)
def test_the_app_names_the_extra_that_it_needs(module: str) -> None:
    done = run_without(module, "import runpy; runpy.run_module('ticketr', run_name='__main__')")

    assert done.returncode == 2
    assert (
        done.stderr
        == "ticketr: the app needs more packages: in a clone of ticketr, run: pip install '.[app]'\n"
    )


def test_the_status_line_names_the_extra_that_it_needs() -> None:
    done = run_without("wcwidth", "import ticketr.statusline")

    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: the status line needs more packages:"
        " in a clone of ticketr, run: pip install '.[statusline]'"
    )


@pytest.mark.unmeasured
def test_the_tasks_of_celery_name_the_extra_that_they_need() -> None:
    done = run_without("celery", "import ticketr.celery")

    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: Celery needs more packages:"
        " in a clone of ticketr, run: pip install '.[celery]'"
    )


@pytest.mark.unmeasured
@pytest.mark.parametrize("module", ["procrastinate", "psycopg"])
def test_the_tasks_of_procrastinate_name_the_extra_that_they_need(module: str) -> None:
    done = run_without(module, "import ticketr.procrastinate")

    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: ticketr.procrastinate needs more packages:"
        " in a clone of ticketr, run: pip install '.[procrastinate]'"
    )


@pytest.mark.parametrize("command", ["sandbox --port 8080", "demo --tickets 5"])
def test_the_demo_and_the_sandbox_name_the_extra_that_they_need(command: str) -> None:
    program = f"import runpy; sys.argv[1:] = {command.split()}; "
    done = run_without("jira_sandbox", program + "runpy.run_module('ticketr', run_name='__main__')")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        f"ticketr: ticketr {command.split(maxsplit=1)[0]} needs more packages:"
        " in a clone of ticketr, run: pip install ./sandbox '.[demo]'"
    )
