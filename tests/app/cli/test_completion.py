"""Test ``ticketr completion``: the scripts, and bash with its script."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.processes import LONG
from fakes.ptys import job_on_pty
from fakes.users import User


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_asks_ticketr(someone: User, shell: str) -> None:
    told = someone.runs("completion", shell)

    assert told.code == 0
    assert f"_TICKETR_COMPLETE={shell}_complete" in told.out


def test_another_shell_is_wrong_usage(someone: User) -> None:
    assert someone.runs("completion", "tcsh").code == 2


def complete(
    user: User, line: str, monkeypatch: pytest.MonkeyPatch, shell: str = "bash"
) -> list[str]:
    """Return what a shell is offered for a line with the cursor at its end."""
    words = line.split(" ")
    count = str(len(words) - 1)
    values = {
        "bash": (line, count),
        "zsh": (line, count),
        "fish": (line, words[-1]),
    }[shell]
    monkeypatch.setenv("_TICKETR_COMPLETE", f"{shell}_complete")
    monkeypatch.setenv("COMP_WORDS", values[0])
    monkeypatch.setenv("COMP_CWORD", values[1])
    told = user.runs()
    monkeypatch.delenv("_TICKETR_COMPLETE")
    assert (told.code, told.err) == (0, "")
    return [line for line in told.out.splitlines() if line]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ticketr pu", ["plain,pull", "plain,push"]),
        ("ticketr workspace us", ["plain,use"]),
        ("ticketr list --so", ["plain,--sort"]),
        ("ticketr list --sort t", ["title", "type"]),
        ("ticketr list --sort=up", ["updated"]),
        ("ticketr show DEMO-1", ["DEMO-1", "DEMO-10", "DEMO-11", "DEMO-12"]),
        ("ticketr edit demo-12", ["DEMO-12"]),
        ("ticketr open -C elsewhere DEMO-1", []),
        ("ticketr diff DEMO-11 DEMO-1", ["DEMO-1", "DEMO-10", "DEMO-12"]),
        ("ticketr resolve OTHER", []),
        ("ticketr bulk DEMO-1 --transition to", ["To Do"]),
        ("ticketr bulk DEMO-1 --transition 'TO d", ["To Do"]),
        ("ticketr bulk DEMO-1 --transition=do", ["Done"]),
        ("ticketr bulk -C elsewhere DEMO-1 --transition to", []),
        ("ticketr move DEMO-1 to", ["To Do"]),
        ("ticketr move DEMO-11 DEMO-1", ["DEMO-1", "DEMO-10", "DEMO-12"]),
        ("ticketr assign DEMO-1 pr", ["Priya Raman"]),
        ("ticketr assign DEMO-1 me", ["me"]),
        ("ticketr push DEMO-12", ["DEMO-12", "file,DEMO-12"]),
        ("ticketr pull -w ", ["acme", "shop"]),
        ("ticketr workspace check sh", ["shop"]),
    ],
)
def test_bash_is_offered_what_is_known_here(
    someone: User, monkeypatch: pytest.MonkeyPatch, line: str, offered: list[str]
) -> None:
    someone.runs("pull")
    add_workspaces(someone)

    told = complete(someone, line, monkeypatch)

    assert [each.removeprefix("plain,") for each in told] == [
        each.removeprefix("plain,") for each in offered
    ]


@pytest.mark.parametrize(
    ("shell", "offered"),
    [("zsh", ["plain", "DEMO-12", "{}"]), ("fish", ["plain,DEMO-12\t{}"])],
)
def test_shells_that_show_it_get_the_title_of_a_key(
    someone: User, monkeypatch: pytest.MonkeyPatch, shell: str, offered: list[str]
) -> None:
    someone.runs("pull")
    title = someone.finds("DEMO-12").summary

    told = complete(someone, "ticketr show DEMO-12", monkeypatch, shell)

    assert told == [each.format(title) for each in offered]


@pytest.mark.parametrize("command", ["show DE", "move DEMO-1 st", "pull -w a"])
def test_settings_that_cannot_be_read_offer_nothing_and_no_error(
    someone: User, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    config = someone.root.parent / "config"
    config.mkdir(exist_ok=True)
    (config / "config.toml").write_text("this is = no TOML =")

    assert complete(someone, f"ticketr {command}", monkeypatch) == []


def add_workspaces(user: User) -> None:
    """Write two workspaces into the user's config."""
    config = user.root.parent / "config"
    names = ("shop", "acme")
    entries = [
        f'[workspaces.{name}]\nfolder = "{user.root.parent / name}"\nsite = "https://x.example"\n'
        for name in names
    ]
    path = config / "config.toml"
    path.touch(mode=0o600)
    path.write_text("\n".join(entries))


def shell_environment(user: User) -> dict[str, str]:
    """Return the variables with which a shell finds ticketr and this user's settings."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    settings = os.environ["TICKETR_CONFIG_DIR"]
    return {"PATH": path, "HOME": str(user.root), "TICKETR_CONFIG_DIR": settings}


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("ticketr resol", "resolve\tResolve a conflict."),
        ("ticketr pull --strategy ji", "jira"),
        ("ticketr bulk --transition to", "To Do"),
        ("ticketr show DEMO-12", "DEMO-12\t{title}"),
    ],
)
def test_fish_completes_commands_options_and_their_values(
    someone: User, line: str, completed: str
) -> None:
    someone.runs("pull")
    script = someone.writes("completion.fish", someone.runs("completion", "fish").out)
    code = f"source {shlex.quote(str(script))}; complete -C {shlex.quote(line)}"

    told = subprocess.run(
        ["fish", "--no-config", "-c", code],
        cwd=someone.root,
        env=os.environ | shell_environment(someone),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=True,
    )

    title = someone.finds("DEMO-12").summary
    assert (told.stdout, told.stderr) == (completed.format(title=title) + "\n", "")


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_completes_commands_options_and_their_values(someone: User) -> None:
    someone.runs("pull")
    script = someone.writes("completion.zsh", someone.runs("completion", "zsh").out)
    environ = shell_environment(someone) | {"PS1": "> "}
    with job_on_pty(["zsh", "-f", "-i"], orphan=True, environ=environ) as pty:
        pty.type(f"autoload -Uz compinit; compinit -D -u; . {script}; echo ready $((40 + 2))\r")
        pty.wait_for("ready 42")
        for typed, completed in [
            ("ticketr resol\t", "ticketr resolve"),
            ("ticketr pull --strategy ji\t", "ticketr pull --strategy jira"),
            ("ticketr list --sort=upd\t", "updated"),
            ("ticketr show demo-12\t", "DEMO"),
            ("ticketr bulk --transition to\t", r"To\\ Do"),
            ("ticketr assign DEMO-1 pr\t", r"Priya\\ Raman"),
        ]:
            pty.type(typed)
            pty.wait_for(completed)
            pty.type("\x15")  # clears the line


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_commands_options_and_their_values(someone: User) -> None:
    someone.runs("pull")
    script = someone.writes("completion.sh", someone.runs("completion", "bash").out)
    environ = shell_environment(someone) | {"PS1": "> ", "INPUTRC": os.devnull}
    shell = ["bash", "--norc", "--noprofile", "-i"]

    # Make it the session leader: as a background job of another shell it would be stopped.
    with job_on_pty(shell, orphan=True, environ=environ) as pty:
        pty.wait_for("> ")
        pty.type(f". {script}\r")
        pty.wait_for("> ")
        for typed, completed in [
            ("ticketr resol\t", "ticketr resolve "),
            ("ticketr resolve --ta\t", "ticketr resolve --take "),
            ("ticketr pull --strategy ji\t", "ticketr pull --strategy jira "),
            ("ticketr list --sort=upd\t", "ticketr list --sort=updated "),
            ("ticketr show demo-12\t", "DEMO-12 "),
            ("ticketr assign DEMO-1 pr\t", r"Priya\\ Raman "),
            ("ticketr bulk --transition to\t", r"To\\ Do "),
            ("ticketr bulk --transition=do\t", "Done "),
        ]:
            pty.type(typed)
            pty.wait_for(completed)
            pty.type("\x15")  # clears the line
