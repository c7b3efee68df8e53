"""Test the public names, what imports bring along, extras that are missing, and the tree of errors."""

from __future__ import annotations

import ast
import inspect
import pickle
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import trio
from fakes.processes import unmeasured

import ticketr
from ticketr import (
    CancelCause,
    DuplicateJob,
    HistoryFailed,
    JobCancelled,
    JobError,
    JobFailed,
    JobTimedOut,
    NotSendable,
    QueueClosed,
    QueueFull,
    StoreFailed,
    StoreInUse,
    TicketrError,
    TooManyKills,
    UnknownJob,
    WouldDeadlock,
)
from ticketr._install import missing_packages_message
from ticketr.app.cli import APP_EXTRA_MODULES

PACKAGE = Path(ticketr.__file__).parent
#: Type checkers alone import typing_extensions, which they know without its being installed.
ALLOWED_IN_JOBS = {*sys.stdlib_module_names, "trio", "typing_extensions"}
#: What `import trio` itself may bring along.
TRIO_BRINGS = {"trio", "attr", "attrs", "idna", "outcome", "sniffio", "sortedcontainers", "cffi"}

#: What takes as long to import as click, and more.
SLOW = {"trio", "httpx", "blessed", "wcwidth", "starlette", "hypercorn", "marklas", "tomlkit"}


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module or "")
    return names


@pytest.mark.parametrize(
    "path",
    sorted((PACKAGE / "jobs").glob("**/*.py")),
    ids=lambda path: str(path.relative_to(PACKAGE)),
)
def test_the_library_imports_trio_and_the_standard_library_only(path: Path) -> None:
    own = ("ticketr.jobs", "ticketr._errors")

    foreign = {
        name
        for name in imports_of(path)
        if name.partition(".")[0] not in ALLOWED_IN_JOBS and not name.startswith(own)
    }

    assert foreign == set()


def test_import_ticketr_loads_the_library_alone() -> None:
    program = (
        "import sys; before = set(sys.modules); from ticketr import *;"
        " print(*set(sys.modules) - before)"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", program],
        env=unmeasured(),
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    foreign = {name.partition(".")[0] for name in loaded}
    foreign -= {*sys.stdlib_module_names, *TRIO_BRINGS, "ticketr"}
    assert {name for name in foreign if not name.startswith(("_", "__editable"))} == set()
    inner = {name.split(".")[1] for name in loaded if name.startswith("ticketr.")}
    assert inner <= {"jobs", "_errors", "_version"}
    needed_with_a_file_alone = {"sqlite3", "pickle", "ticketr.jobs._sqlite.writer"}
    assert needed_with_a_file_alone.isdisjoint(loaded)


COMPLETE = {"_TICKETR_COMPLETE": "fish_complete"}


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["--version"], {}),
        (["--help"], {}),
        (["pull", "--help"], {}),
        (["workspace", "add", "--help"], {}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr pu", "COMP_CWORD": "pu"}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr show DE", "COMP_CWORD": "DE"}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr list status=", "COMP_CWORD": "status="}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr pull -w x", "COMP_CWORD": "x"}),
        ([], {**COMPLETE, "COMP_WORDS": "ticketr sync --st", "COMP_CWORD": "--st"}),
    ],
)
def test_help_and_completion_load_neither_trio_nor_what_only_commands_need(
    arguments: list[str], environ: dict[str, str]
) -> None:
    program = (
        "import sys\nbefore = set(sys.modules)\nfrom ticketr.app.cli import main\n"
        "sys.argv[0] = 'ticketr'\ntry: main()\nexcept SystemExit: pass\n"
        "print(*set(sys.modules) - before, file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=unmeasured() | environ,
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout
    assert SLOW.isdisjoint(done.stderr.split())


DOORS = ["ticketr.app.jira", "ticketr.app.jira.adf", "ticketr.app.sync"]


@pytest.mark.parametrize("name", DOORS)
def test_every_public_name_is_there(name: str) -> None:
    package = import_module(name)

    for each in package.__all__:
        assert getattr(package, each) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing


def loaded(statement: str) -> set[str]:
    """Return what is imported when a statement has run in a process of its own."""
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


def test_a_status_imports_neither_http_nor_the_converter_nor_a_push() -> None:
    names = loaded("from ticketr.app.sync import read_state, take_survey, read_push_plan")

    assert names.isdisjoint({"httpx", "marklas", "ticketr.jobs", "ticketr.app.sync.push.push"})


def test_httpx_comes_without_its_command_line_and_is_whole() -> None:
    statement = (
        "from ticketr.app.jira.transport._httpx import HttpxTransport\n"
        "import httpx; assert httpx.AsyncClient and callable(httpx.main)"
    )
    names = loaded(statement)

    assert "httpx" in names
    assert names.isdisjoint({"httpx._main", "rich", "pygments"})


def test_httpx_that_is_there_already_is_taken() -> None:
    statement = (
        "import httpx\nfrom ticketr.app.jira.transport import _lean_httpx\n"
        "assert _lean_httpx.httpx is httpx"
    )

    assert "httpx" in loaded(statement)


NAMES = {name for name in ticketr.__all__ if name not in {"JobID", "__version__"}}


@pytest.mark.unmeasured  # its child would be measured in the copy
def test_a_name_that_is_imported_on_use_is_found_in_a_zip_file(tmp_path: Path) -> None:
    source = Path(ticketr.__file__).parent.parent
    archive = shutil.make_archive(str(tmp_path / "app"), "zip", source, "ticketr")

    names = loaded(f"sys.path.insert(0, {archive!r}); from ticketr.app.tickets import Filter")

    assert "ticketr.app.tickets.filter" in names


def test_all_is_sorted_and_complete() -> None:
    public = {
        name
        for name in dir(ticketr)
        if not name.startswith("_") and not inspect.ismodule(getattr(ticketr, name))
    }

    assert ticketr.__all__ == sorted(ticketr.__all__)
    assert public == set(ticketr.__all__) - {"__version__"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_has_the_module_ticketr(name: str) -> None:
    assert getattr(ticketr, name).__module__ == "ticketr"


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_public_name_and_its_methods_are_explained(name: str) -> None:
    thing = getattr(ticketr, name)
    members = vars(thing).items() if inspect.isclass(thing) else ()

    silent = [
        member
        for member, value in members
        if not member.startswith("_")
        and (inspect.isfunction(value) or isinstance(value, property))
        and not inspect.getdoc(value)
    ]

    assert inspect.getdoc(thing)
    assert silent == []


def test_the_queue_is_imported_at_the_first_look_at_one_of_its_names() -> None:
    program = (
        "import sys, ticketr\n"
        "known = set(dir(ticketr))\n"
        "assert known >= set(ticketr.__all__)\n"
        "assert not {'trio', 'ticketr.jobs'} & set(sys.modules)\n"
        "ticketr.Keep\n"
        "assert known | {'jobs', '_errors'} == set(dir(ticketr))\n"
        "assert {*ticketr.__all__} <= {*vars(ticketr)}\n"
        "assert 'trio' in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_import_of_everything_brings_every_name() -> None:
    program = "from ticketr import *\nimport ticketr\nassert {*ticketr.__all__} <= {*globals()}"

    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize("name", ["nothing", "TYPE_CHECKING_", "Any"])
def test_another_name_is_an_error_as_of_any_module(name: str) -> None:
    with pytest.raises(AttributeError, match=f"^module 'ticketr' has no attribute '{name}'$"):
        getattr(ticketr, name)


def test_a_value_and_a_class_are_pickled_by_the_name_that_users_know() -> None:
    for thing in (ticketr.JobStatus.FAILED, ticketr.Keep(jobs=3), ticketr.JobSnapshot):
        stored = pickle.dumps(thing)
        program = "import pickle, sys; print(repr(pickle.load(sys.stdin.buffer)))"
        loaded = subprocess.run(
            [sys.executable, "-c", program], input=stored, check=True, stdout=subprocess.PIPE
        )

        assert b"ticketr.jobs" not in stored
        assert loaded.stdout.decode() == f"{thing!r}\n"


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
    return subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)


def test_the_library_needs_no_module_of_the_app() -> None:
    done = run_without(",".join(APP_EXTRA_MODULES), "import ticketr.testing, ticketr")

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("module", APP_EXTRA_MODULES)
def test_the_app_names_the_extra_that_it_needs(module: str) -> None:
    done = run_without(module, "import runpy; runpy.run_module('ticketr', run_name='__main__')")

    assert done.returncode == 2
    assert done.stderr == f"ticketr: {missing_packages_message('the app', 'app')}\n"


#: What Windows lacks. `os.name` stays, as pathlib would not load.
WINDOWS = (
    "import os, sys; del os.O_NOFOLLOW; sys.modules['fcntl'] = sys.modules['termios'] = None; "
)


@pytest.mark.parametrize("arguments", ["[]", "['status']"])
def test_on_windows_the_app_says_in_one_line_that_it_needs_posix(arguments: str) -> None:
    program = f"{WINDOWS}sys.argv[1:] = {arguments}; from ticketr.app.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=500, check=False
    )

    assert done.returncode == 2
    assert done.stderr == (
        "ticketr: the app needs Linux, macOS or another POSIX system, such as WSL on Windows; "
        "what Python imports as ticketr works here\n"
    )


def test_the_status_line_names_the_extra_that_it_needs() -> None:
    done = run_without("wcwidth", "import ticketr.statusline")

    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: {missing_packages_message('the status line', 'statusline')}"
    )


@pytest.mark.unmeasured
def test_the_tasks_of_celery_name_the_extra_that_they_need() -> None:
    done = run_without("celery", "import ticketr.celery")

    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: {missing_packages_message('Celery', 'celery')}"
    )


@pytest.mark.unmeasured
@pytest.mark.parametrize("module", ["procrastinate", "psycopg"])
def test_the_tasks_of_procrastinate_name_the_extra_that_they_need(module: str) -> None:
    done = run_without(module, "import ticketr.procrastinate")

    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: " + missing_packages_message("ticketr.procrastinate", "procrastinate")
    )


@pytest.mark.parametrize("command", ["sandbox --port 8080", "demo --tickets 5"])
def test_the_demo_and_the_sandbox_name_the_extra_that_they_need(command: str) -> None:
    program = f"import runpy; sys.argv[1:] = {command.split()}; "
    done = run_without("jira_sandbox", program + "runpy.run_module('ticketr', run_name='__main__')")

    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "ticketr: " + missing_packages_message(f"ticketr {command.split(maxsplit=1)[0]}", "demo")
    )


ERRORS: list[tuple[TicketrError, str]] = [
    (QueueClosed(), "the job queue is closed: it takes no more jobs"),
    (QueueFull(3), "3 jobs wait for a worker already: await submit() to wait for room"),
    (QueueFull(1), "1 job waits for a worker already: await submit() to wait for room"),
    (UnknownJob("x"), "no job 'x' is known: it never was, or its record was dropped"),
    (DuplicateJob("x"), "job 'x' has not ended: its ID is free again once it has"),
    (WouldDeadlock("x", "itself"), "job 'x' would wait for ever for itself"),
    (HistoryFailed("a.db", "no room"), "the job history a.db cannot be used: no room"),
    (NotSendable("argument 1", "(1,)", "is bad"), "argument 1 cannot be sent: (1,) is bad"),
    (StoreFailed("a.db", "no room"), "the store of jobs a.db cannot be used: no room"),
    (
        StoreInUse("a.db", 12),
        "the store of jobs a.db is open in process 12: a store has one queue at a time",
    ),
    (
        StoreInUse("a.db", None),
        "the store of jobs a.db is open in another process: a store has one queue at a time",
    ),
    (TooManyKills(1), "the process ended once while the job ran, and it may not be started again"),
    (
        TooManyKills(3),
        "the process ended 3 times while the job ran, and it may not be started again",
    ),
    (JobFailed("x", "pull", "ValueError", "no"), "job 'x' (pull) failed: ValueError: no"),
    (JobFailed("x", "pull", "ValueError", ""), "job 'x' (pull) failed: ValueError"),
    (
        JobCancelled("x", "pull", CancelCause.USER),
        "job 'x' (pull) was cancelled (cause: user)",
    ),
    (JobTimedOut("x", "pull", 1.5), "job 'x' (pull) timed out after 1.5 s"),
]


@pytest.mark.parametrize(("error", "message"), ERRORS)
def test_an_error_builds_its_own_message(error: TicketrError, message: str) -> None:
    assert str(error) == message


@pytest.mark.parametrize("error", [error for error, _ in ERRORS])
def test_an_error_survives_pickle_with_its_facts(error: TicketrError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(copy) is type(error)
    assert vars(copy) == vars(error)
    assert str(copy) == str(error)


def test_errors_raised_by_result_have_one_base_class() -> None:
    assert all(issubclass(error, JobError) for error in (JobFailed, JobCancelled, JobTimedOut))


def test_a_full_queue_is_an_error_of_trios_too() -> None:
    assert QueueFull.__mro__[1:3] == (TicketrError, trio.WouldBlock)
    with pytest.raises(trio.WouldBlock, match="3 jobs"):
        raise QueueFull(3)


def test_the_module_of_errors_loads_no_trio() -> None:
    program = "import ticketr._errors, sys; sys.exit('trio' in sys.modules)"
    path = Path(ticketr.__file__).parent
    alone = f"import sys, types; sys.modules['ticketr'] = m = types.ModuleType('ticketr'); m.__path__ = [{str(path)!r}]; {program}"
    assert subprocess.run([sys.executable, "-c", alone], check=False).returncode == 0
