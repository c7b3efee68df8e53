"""Test choosing the HTTP package, and the errors if it cannot be used."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest
import trio

from ticketr.app.jira.transport import HttpPackage, open_transport


def run(program: str, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", program],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_choosing_needs_no_package_and_loads_none() -> None:
    program = (
        "import sys; import ticketr.app.jira.transport\n"
        "print({'asks', 'anyio', 'h11', 'httpx', 'httpcore'} & set(sys.modules))"
    )
    assert run(program) == "set()\n"


def test_httpx_is_the_default_and_loads_no_asks() -> None:
    program = (
        "import sys; from ticketr.app.jira.transport import open_transport\n"
        "print(type(open_transport()).__name__, 'asks' in sys.modules)"
    )
    assert run(program) == "HttpxTransport False\n"


def test_asks_prints_nothing_when_it_is_loaded_for_the_first_time(tmp_path: Path) -> None:
    program = (
        "from ticketr.app.jira.transport import open_transport\n"
        "print(type(open_transport('asks')).__name__)"
    )
    # The compiler warns if there is no compiled file yet.
    assert run(program, "-X", f"pycache_prefix={tmp_path}") == "AsksTransport\n"


@pytest.mark.parametrize("name", get_args(HttpPackage))
async def test_each_name_returns_a_transport_that_opens_and_closes(name: HttpPackage) -> None:
    async with open_transport(name, answer_within=1.0):
        await trio.lowlevel.checkpoint()


@pytest.mark.parametrize("missing", ["asks", "anyio", "h11"])
def test_without_its_package_asks_is_refused_with_what_to_install(missing: str) -> None:
    program = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from ticketr.app.jira.transport import AsksMissing, open_transport\n"
        "try: open_transport('asks')\n"
        "except AsksMissing as error: print(error)"
    )
    said = run(program)
    assert f"{missing} halted" in said
    assert "uv pip install '.[asks]'" in said
    assert "httpx" in said


def test_an_anyio_that_does_not_run_on_this_trio_is_refused_with_what_to_install() -> None:
    """This is the case of anyio 3: it can be imported, but not its Trio backend."""
    program = (
        "import sys, trio; sys.modules['anyio._backends._trio'] = None\n"
        "from ticketr.app.jira.transport import AsksMissing, open_transport\n"
        "async def main():\n"
        "    try:\n"
        "        async with open_transport('asks'): print('opened')\n"
        "    except AsksMissing as error: print(error)\n"
        "trio.run(main)"
    )
    said = run(program)
    assert f"anyio {version('anyio')} does not run on Trio {trio.__version__}" in said
    assert "uv pip install '.[asks]'" in said
