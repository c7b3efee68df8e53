"""Test ``ticketr edit``, with programs in the place of an editor."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from fakes.processes import PROGRAM, environment
from fakes.ptys import job_on_pty
from fakes.users import User


@pytest.fixture
def owner(someone: User, monkeypatch: pytest.MonkeyPatch) -> User:
    someone.writes("all.md", "# TICKET: [DEMO-1] One\n\n# TICKET: [DEMO-2] Two\n")
    monkeypatch.delenv("VISUAL", raising=False)
    return someone


def as_editor(owner: User, name: str, *lines: str) -> Path:
    """Write a program that stands in for an editor; it gets the words after its own name."""
    program = owner.root.parent / name
    program.write_text("\n".join([f"#!{sys.executable}", "import os, signal, sys", *lines]))
    program.chmod(0o700)
    return program


def test_the_editor_gets_the_file_and_the_line(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = owner.root.parent / "seen"
    program = as_editor(owner, "vim", f"open({str(seen)!r}, 'w').write('|'.join(sys.argv[1:]))")
    monkeypatch.setenv("EDITOR", f"{program} -n")

    assert owner.runs("edit", "demo-2") == (0, "", "")
    assert seen.read_text() == f"-n|+3|{owner.root / 'all.md'}"


def test_a_mistake_in_the_edited_file_is_told_at_once(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = as_editor(owner, "vim", "open(sys.argv[-1], 'a').write('# TICKET: [DEMO-3]\\n')")
    monkeypatch.setenv("VISUAL", str(program))

    told = owner.runs("edit", "DEMO-1")

    assert told.code == 1
    assert told.err.startswith("ticketr: all.md:4:11: there is a key but no title")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("sys.exit(3)", "failed with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGTERM)", "was ended by SIGTERM"),
    ],
)
def test_an_editor_that_fails_is_an_error(
    owner: User, monkeypatch: pytest.MonkeyPatch, line: str, problem: str
) -> None:
    program = as_editor(owner, "mine", line)
    monkeypatch.setenv("EDITOR", str(program))

    told = owner.runs("edit", "DEMO-1")

    path = owner.root / "all.md"
    assert (told.code, told.out) == (1, "")
    assert told.err == f"ticketr: the editor ({program} {path}) {problem}\n"


def test_an_editor_that_is_not_there_is_an_error_that_says_what_to_set(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor")

    told = owner.runs("edit", "DEMO-1")

    assert told.code == 1
    assert told.err == (
        f"ticketr: the editor (no-such-editor {owner.root / 'all.md'}) cannot be started:"
        " No such file or directory; set VISUAL or EDITOR, as in EDITOR=nano\n"
    )


def test_a_key_that_is_in_no_file_starts_no_editor(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor")

    assert owner.runs("edit", "DEMO-3").code == 2


def test_ctrl_c_is_for_the_editor_alone(owner: User) -> None:
    program = as_editor(
        owner,
        "vim",
        "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler",
        # A handler could run just before a pause, which would then wait for another signal.
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})",
        "print('ready', flush=True)",
        "signal.sigwait({signal.SIGINT})",
        "print('noted')",
    )
    environ = {**environment(), "EDITOR": str(program), "PATH": os.environ["PATH"]}

    with job_on_pty([*PROGRAM, "edit", "-C", str(owner.root), "DEMO-1"], environ=environ) as pty:
        pty.wait_for("ready")
        pty.type("\x03")
        pty.wait_for("noted")
        assert pty.wait_for_end() == 0
