"""Test which modules the most frequent commands load: a command that finds little spends most on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from fakes.processes import environment, make_workspace, sandbox_process

PROGRAM = """
import sys
from ticketr.app.cli import main
sys.argv[0] = 'ticketr'
try: main()
except SystemExit as end: code = end.code
print(code or 0, *sys.modules)
"""
#: What only other commands need, or tickets that are not in these tests.
RARE = {
    *("anyio", "h2", "marklas", "zoneinfo", "rich"),
    *("ticketr._install", "ticketr.app.cli.history", "ticketr.app.jira.rest_api"),
    *(
        f"ticketr.app.config.{name}"
        for name in ("config_edits", "list_memory", "state_names", "token_command")
    ),
    *(f"ticketr.jobs._{name}" for name in ("due_times", "items", "map", "store_opening")),
    *(f"ticketr.statusline.{name}" for name in ("guard", "output")),
    *(f"ticketr.app.sync.compare.{name}" for name in ("diff3", "merge", "part_merge")),
    *(f"ticketr.app.sync.edits.{name}" for name in ("drafts", "lost_keys", "uncertain")),
    *(
        f"ticketr.app.sync.push.{name}"
        for name in ("create_payload", "creating", "creating_batches")
    ),
    *(f"ticketr.app.sync.push.{name}" for name in ("inherited", "recovery", "keys")),
    *(f"ticketr.app.tickets.{name}" for name in ("candidate", "field_edits", "filter")),
    *(
        "ticketr.app.jira.adf._conversion",
        "ticketr.app.sync.pull.downloading",
        "ticketr.app.sync.pull.named",
    ),
}
#: The most modules of ticketr that each command may load. Before you raise one, look whether the new
#: module is needed by every run.
MOST = {"push": 294, "pull": 241}


def loaded(command: str, folder: Path, env: Mapping[str, str]) -> set[str]:
    """Run a command in a process of its own; return the modules that it has loaded."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM, command, *(["--yes"] if command == "push" else [])],
        cwd=folder,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    code, *names = done.stdout.splitlines()[-1].split()
    assert code == "0", done.stderr
    return set(names)


@pytest.fixture(scope="module")
def modules(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the modules of a pull that finds nothing new, and of a push of one title."""
    folder = tmp_path_factory.mktemp("work")
    make_workspace(folder)
    with sandbox_process(tickets=5) as url:
        env = environment(url)
        loaded("pull", folder, env)
        pulled = loaded("pull", folder, env)
        path = folder / "DEMO-1.md"
        heading, _, rest = path.read_text().partition("\n")
        path.write_text(f"{heading} again\n{rest}")
        return {"pull": pulled, "push": loaded("push", folder, env)}


@pytest.mark.unmeasured
@pytest.mark.parametrize("command", MOST)
def test_the_command_loads_nothing_that_few_runs_need(
    command: str, modules: dict[str, set[str]]
) -> None:
    assert modules[command].isdisjoint(RARE), sorted(modules[command] & RARE)


@pytest.mark.parametrize("command", MOST)
def test_the_command_loads_no_more_modules_than_before(
    command: str, modules: dict[str, set[str]]
) -> None:
    own = sorted(each for each in modules[command] if each.partition(".")[0] == "ticketr")

    assert len(own) <= MOST[command], own
