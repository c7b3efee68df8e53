"""The app on real terminals: however it is used and ended, the terminal is as it was before."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import signal
import sys
import tempfile
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from fakes.held_sandbox import held_demo
from fakes.processes import PROGRAM, environment, make_workspace, sandbox_process
from fakes.pty_screens import PtyScreen
from fakes.ptys import Pty, job_on_pty, ticketr_on_pty
from fakes.tmux import bash_in_tmux

from ticketr.app.tickets import Ticket, render

WIDTH, HEIGHT = 80, 20
#: An address that nobody listens at.
NOWHERE = "http://127.0.0.1:1"
#: The app with F11, which fails, and F12, which prints in every way there is.
FAULTY = [sys.executable, "-P", str(Path(__file__).parent / "fakes" / "pty_app.py")]
#: An editor that records the modes that it finds.
EDITOR = """
import pathlib, sys, termios
path = pathlib.Path(sys.argv[1])
path.with_name("modes").write_text(repr(termios.tcgetattr(0)))
path.write_text(path.read_text().replace("First", "Edited"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a workspace of two tickets, whose site does not answer."""
    make_workspace(tmp_path)
    for number, title in enumerate(("First", "Second"), 1):
        text = render([Ticket(title, f"DEMO-{number}", description="Some words.")])
        (tmp_path / f"DEMO-{number}.md").write_text(text)
    return tmp_path


@contextmanager
def app(
    folder: Path, program: Sequence[str] = PROGRAM, *, url: str = NOWHERE, **changes: str
) -> Generator[PtyScreen]:
    """Run the app in a folder, and wait until it takes keys."""
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(folder), *program]
    environ = environment(url, **changes)
    with job_on_pty(command, size=(WIDTH, HEIGHT), environ=environ) as pty:
        screen = PtyScreen(pty, WIDTH, HEIGHT)
        screen.wait_for("DEMO-2 .*Second")
        screen.resize(WIDTH, HEIGHT + 1, "DEMO-2 .*Second")  # keys before a first frame are dropped
        screen.resize(WIDTH, HEIGHT, "DEMO-2 .*Second")
        yield screen


def leave(pty: Pty, keys: str = "q") -> None:
    """Leave by a key; the terminal has to be restored."""
    pty.type(keys)
    assert pty.wait_for_end() == 0
    assert pty.is_restored()


def after_the_screen(pty: Pty) -> str:
    """Return what was printed after the app had left the full screen."""
    return re.split(r"\x1b\[\?1049l(?:\x1b\[23;0;0t)?", pty.output)[-1]


def test_the_reports_of_mouse_and_focus_are_switched_on_and_off_again(folder: Path) -> None:
    with app(folder) as screen:
        for mode in ("1000", "1006", "1004"):
            assert f"\x1b[?{mode}h" in screen.pty.output
        leave(screen.pty)


def test_a_screen_of_every_size_is_drawn_and_left(folder: Path) -> None:
    with app(folder) as screen:
        screen.resize(40, 8, "DEMO-2 ")
        screen.resize(1, 1, r"\A…\Z")
        screen.resize(200, 60, "DEMO-2 .*Second")
        screen.resize(19, 3, r"\Aticketr needs 20x4\n\n\Z")
        leave(screen.pty)


def test_an_editor_gets_the_terminal_as_it_was_and_gives_it_back(folder: Path) -> None:
    editor = shlex.join([sys.executable, "-ISc", EDITOR])
    with app(folder, VISUAL=editor) as screen:
        screen.press("e", "DEMO-1 .*Edited")
        assert (folder / "modes").read_text() == repr(screen.pty.modes_before)
        leave(screen.pty, "\x03")


def test_an_error_in_the_app_is_printed_on_a_restored_terminal(folder: Path) -> None:
    with app(folder, FAULTY) as screen:
        screen.pty.type("\x1b[23~")

        assert screen.pty.wait_for_end() == 1
        assert screen.pty.is_restored()
        printed = after_the_screen(screen.pty)
        assert "(RuntimeError: boom); please report it" in printed
        assert "\x1b" not in printed


def test_nothing_that_is_printed_tears_the_screen_and_all_of_it_is_read_afterwards(
    folder: Path,
) -> None:
    with app(folder, FAULTY) as screen:
        screen.press("\x1b[24~", "made some noise")
        screen.wait_for("─ 3 DEMO-1 ─")  # the ticket is read after the list
        before = screen.rows
        screen.press("\x0c", r"\A(?![\s\S]*made some noise)")

        assert "noise of" not in screen.pty.output
        assert before[:-2] == screen.rows[:-2]
        leave(screen.pty)
        printed = after_the_screen(screen.pty)
        for source in ("print", "stderr", "logging", "warnings", "the descriptor", "a child"):
            assert f"noise of {source}" in printed


@pytest.mark.unmeasured
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_restores_the_terminal_also_below_a_screen_of_its_own(
    number: signal.Signals, folder: Path
) -> None:
    with app(folder) as screen:
        screen.press("?", "Keys of")
        os.kill(screen.pty.pid, number)

        assert screen.pty.wait_for_end() == (0 if number == signal.SIGINT else 128 + number)
        assert screen.pty.is_restored()


def test_a_signal_while_an_editor_runs_restores_the_terminal(folder: Path) -> None:
    with app(folder, VISUAL="sh -c 'echo editing; sleep 600'") as screen:
        screen.pty.type("e")
        screen.pty.wait_for("editing")
        os.kill(screen.pty.pid, signal.SIGTERM)

        assert screen.pty.wait_for_end() == 128 + signal.SIGTERM
        assert screen.pty.is_restored()


def test_a_window_that_is_closed_ends_the_app(folder: Path) -> None:
    with app(folder) as screen:
        screen.pty.hang_up()

        assert screen.pty.wait_for_end(read=False) == 128 + signal.SIGHUP


def test_a_stop_restores_the_terminal_and_fg_brings_the_same_screen_back(folder: Path) -> None:
    with app(folder) as screen:
        screen.press("?", "Keys of")
        screen.pty.type("\x1a")
        screen.pty.wait_for_report("stopped")
        screen.pty.wait_for(r"\x1b\[\?1049l")
        assert screen.pty.is_restored()

        screen.pty.command("fg")
        screen.resize(WIDTH, HEIGHT - 1, "Keys of")
        screen.press("q", "2 Tickets")
        leave(screen.pty)


def test_a_disk_that_takes_no_more_is_named_and_what_has_arrived_can_be_read(
    tmp_path: Path,
) -> None:
    make_workspace(tmp_path)
    (tmp_path / "DEMO-2.md").write_text(render([Ticket("Second", "DEMO-2")]))
    limited = ["sh", "-c", 'ulimit -f 100 && exec "$@"', "sh", *PROGRAM]
    with sandbox_process(tickets=200) as url, app(tmp_path, limited, url=url) as screen:
        screen.press("P", "✗ the state file …/state.db cannot be used: its disk ")
        screen.press("r", r"state.db\s+cannot be used: its disk .*\n✗")
        screen.press("\r", "─ 3 DEMO-2 ")
        leave(screen.pty)


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", ["no-such-terminal", "vt100"])
def test_a_terminal_of_another_or_an_unknown_kind_is_used_and_restored(
    kind: str, folder: Path
) -> None:
    with app(folder, TERM=kind) as screen:
        leave(screen.pty)


@pytest.mark.parametrize("kind", ["dumb", ""])
def test_a_terminal_that_prints_lines_is_refused_with_a_word_and_no_escape(
    kind: str, folder: Path
) -> None:
    command = ["sh", "-c", f'cd "$0" && TERM={kind} exec "$@"', str(folder), *PROGRAM]
    with job_on_pty(command, environ=environment(NOWHERE)) as pty:
        assert pty.wait_for_end() == 2
        assert f"TERM={kind} is none that can show a screen" in pty.output
        assert "\x1b" not in pty.output
        assert pty.modes() == pty.modes_before


@pytest.mark.unmeasured
@pytest.mark.skipif(
    not (shutil.which("tmux") and shutil.which("bash")), reason="tmux or bash is not installed"
)
def test_in_tmux_it_is_started_resized_stopped_continued_edited_and_left(folder: Path) -> None:
    # A short path, since the length of a socket's path is limited.
    with tempfile.TemporaryDirectory() as short, bash_in_tmux(Path(short)) as tmux:
        Path(short, "editor.py").write_text(EDITOR)
        settings = {**environment(NOWHERE), "VISUAL": f"{sys.executable} -I {short}/editor.py"}
        kept = {name: text for name, text in settings.items() if os.environ.get(name) != text}
        words = shlex.join(["env", *map("=".join, kept.items()), *FAULTY])
        before = tmux.modes()
        Path(short, "app").write_text(f"cd {shlex.quote(str(folder))} && exec {words}\n")
        tmux.type(f"stty -g > {short}/before; clear; sh {short}/app", "Enter")
        tmux.wait_for("Second")
        tmux.call("resize-window", "-x", "60", "-y", "16")
        tmux.wait_for("\n" + "─" * 60 + "\n")

        tmux.type("C-z")
        tmux.wait_for("Stopped")
        tmux.type("fg", "Enter")
        tmux.wait_for("Second")
        tmux.type("e")
        tmux.wait_for("Edited")
        tmux.type("q")
        tmux.wait_for_shell(before)

        for number, end in enumerate(("C-c", "F11")):
            tmux.type(f"clear; sh {short}/app", "Enter")
            tmux.wait_for("Second")
            tmux.call("resize-window", "-x", str(70 + number), "-y", "16")
            tmux.wait_for("\n" + "─" * (70 + number) + "\n")  # keys are taken from now on
            assert tmux.modes() != before
            tmux.type(end)
            tmux.wait_for_shell(before)
        tmux.wait_for("(RuntimeError: boom)")
        tmux.type(f"clear; stty -g > {short}/after; echo all $((40 + 2))", "Enter")
        assert "Edited" not in tmux.wait_for("all 42")

        assert Path(short, "after").read_text() == Path(short, "before").read_text()


TOKEN_DOTS = "••••"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def new_app(home: Path, **changes: str) -> AbstractContextManager[Pty]:
    """Run the app in a home folder that is empty; the variables of a login are not set."""
    nothing = {name: "" for name in os.environ if name.startswith("JIRA_")}
    settings = {
        "HOME": str(home),
        "TMPDIR": str(home.parent),
        "TICKETR_CONFIG_DIR": str(home.parent / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }
    return ticketr_on_pty(home, size=(100, 30), env={**nothing, **settings, **changes})


def wait_for_start(pty: Pty) -> None:
    """Wait until keys are taken; those before the first frame are dropped."""
    pty.wait_for("Try it now")
    pty.resize(100, 31)
    pty.wait_for("Try it now")


def demo_folder(home: Path) -> Path:
    (found,) = home.parent.glob("ticketr-demo-*")
    return found


@pytest.mark.unmeasured
def test_a_new_user_tries_the_sandbox_pulls_reads_and_leaves(home: Path) -> None:
    start = home.parent / "start"
    with new_app(home, **held_demo(start=start)) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for("Starting a Jira with made-up tickets")
        start.touch()
        pty.wait_for("Pull complete: 500 tickets")
        pty.type("\r")
        pty.wait_for("Search that forgives typing errors")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()
    assert len(list(demo_folder(home).glob("DEMO-*.md"))) > 100
    assert list(home.iterdir()) == []


@pytest.mark.unmeasured
def test_leaving_while_the_sandbox_is_pulled_counts_what_has_arrived(home: Path) -> None:
    with new_app(home, **held_demo(pull=home.parent / "never")) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for(r"/500\) Pulling tickets")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert pty.is_restored()
        pty.wait_for(r"Cancelled: \d+/500 tickets pulled")


@pytest.mark.unmeasured
def test_leaving_says_nothing_of_a_job_that_was_cancelled_before(home: Path) -> None:
    with new_app(home, **held_demo(pull=home.parent / "never")) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for(r"/500\) Pulling tickets")
        pty.type("\x1b")
        pty.wait_for("Cancelled: .* goes on")
        pty.type("q")

        assert pty.wait_for_end() == 0
        pty.wait_for("The tickets are Markdown files in")
        assert "Cancelled" not in pty.output.rpartition("\x1b[?1049l")[2]


@pytest.mark.unmeasured
def test_a_window_that_is_closed_over_the_sandbox_ends_both(home: Path) -> None:
    with new_app(home, **held_demo(pull=home.parent / "never")) as pty:
        wait_for_start(pty)
        pty.type("\r")
        pty.wait_for(r"/500\) Pulling tickets")
        pty.hang_up()

        assert pty.wait_for_end(read=False) == 128 + signal.SIGHUP


@pytest.mark.unmeasured
def test_a_new_user_connects_to_jira_and_the_token_is_never_shown(home: Path) -> None:
    with sandbox_process(tickets=5) as url, new_app(home) as pty:
        wait_for_start(pty)
        pty.type("c")
        pty.wait_for("Check and pull")
        pty.type(f"{url}\tdemo@example.com\tdemo\t")
        pty.wait_for("you are Demo User")
        pty.type("demo\r")
        pty.wait_for("new; ticketr.toml goes there")
        pty.type("\r")
        pty.type("\r")
        pty.wait_for("Pull complete: 5 tickets")
        pty.type("q")

        assert pty.wait_for_end() == 0
        assert TOKEN_DOTS in pty.output
    folder = home / "jira"
    assert "DEMO" in (folder / "ticketr.toml").read_text()
    assert len(list(folder.glob("DEMO-*.md"))) > 0


def test_with_jira_variables_alone_it_begins_as_without(home: Path) -> None:
    login = environment("http://127.0.0.1:9")
    with new_app(home, **{name: login[name] for name in login if name.startswith("JIRA_")}) as pty:
        wait_for_start(pty)
        pty.type("q")

        assert pty.wait_for_end() == 0


WIDTH, HEIGHT = 100, 30
TICKET = "DEMO-13"
TITLE = "ISBN with hyphens finds nothing"
#: An editor that writes what its user would: a word at the end of the ticket's title.
NEWCOMERS_EDITOR = """
import pathlib, sys
path = pathlib.Path(sys.argv[1])
title, line, rest = path.read_text(encoding="utf-8").partition("\\n")
path.write_text(f"{title}, {path.with_name('word').read_text()}{line}{rest}", encoding="utf-8")
"""


class Newcomer:
    """Somebody in front of a screen, and a colleague who works in Jira meanwhile."""

    def __init__(self, screen: PtyScreen, home: Path) -> None:
        self.screen = screen
        self.home = home

    @property
    def folder(self) -> Path:
        """The folder that the app made for the tickets."""
        (found,) = self.home.parent.glob("ticketr-demo-*")
        return found

    def title_here(self) -> str:
        """Return the title in the ticket's file."""
        heading = (self.folder / f"{TICKET}.md").read_text(encoding="utf-8").partition("\n")[0]
        return heading.removeprefix(f"# TICKET: [{TICKET}] ")

    def jira(self, method: str = "GET", **fields: str) -> str:
        """Look at the ticket in Jira, or change it there first; return its title."""
        site = re.search(r"http://127\.0\.0\.1:\d+", self.screen.rows[0])
        assert site is not None
        url = f"{site[0]}/rest/api/3/issue/{TICKET}"
        login = base64.b64encode(b"demo@example.com:demo").decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        data = json.dumps({"fields": fields}).encode() if fields else None
        request = urllib.request.Request(url, data, headers, method=method)
        with urllib.request.urlopen(request) as response:
            answer = response.read()
        return str(json.loads(answer)["fields"]["summary"]) if answer else ""

    def edit(self, word: str) -> None:
        """Edit the selected ticket, until the screen counts the edit."""
        (self.folder / "word").write_text(word)
        self.screen.wait_for(r"\A(?![\s\S]*\* 1 edited)")  # the last edit was pushed
        self.screen.press("e", r"\* 1 edited")

    def push(self, end: str) -> None:
        """Look at the plan of a push, and carry it out."""
        plan = r"nothing is written until Enter\s+Enter changes 1 of your tickets in Jira"
        self.screen.press("p", plan)  # the first row says before that Jira is asked
        self.confirm(end)

    def confirm(self, end: str) -> None:
        """Press Enter until what is asked has been on the screen for long enough to be read."""
        while self.screen.press("\r", f"{end}|Read .* first")[0].startswith("Read "):
            self.screen.press("\x0c", r"\A(?![\s\S]*Read .* first)")


@pytest.fixture
def newcomer(tmp_path: Path) -> Generator[Newcomer]:
    home = tmp_path / "home"
    home.mkdir()
    environ = {name: "" for name in os.environ if name.startswith("JIRA_")} | {
        "HOME": str(home),
        "TMPDIR": str(tmp_path),
        "TICKETR_CONFIG_DIR": str(tmp_path / "config"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "VISUAL": "",
        "EDITOR": shlex.join([sys.executable, "-ISc", NEWCOMERS_EDITOR]),
    }
    with ticketr_on_pty(home, size=(WIDTH, HEIGHT), env=environ) as pty:
        yield Newcomer(PtyScreen(pty, WIDTH, HEIGHT), home)


@pytest.mark.unmeasured
def test_from_the_first_run_to_a_settled_conflict_without_a_manual(newcomer: Newcomer) -> None:
    screen = newcomer.screen
    screen.wait_for("▌ Try it now .* Enter")
    screen.wait_for("Enter begin")
    # Keys before the first frame are dropped. What answers to a resize reads keys, too.
    screen.resize(WIDTH, HEIGHT - 1, "Enter begin")
    screen.resize(WIDTH, HEIGHT, "Enter begin")
    screen.press("\r", "Pull complete: 500 tickets")
    screen.wait_for(r"the tickets are files in\s+/")  # a long path is broken into lines

    screen.press("/", " / ▏")
    screen.press("isbn", " / isbn▏ .* 1 of 1")
    screen.press("\r", "Enter read .* p push… ")
    screen.press("\r", f"─ 3 {TICKET} ")
    screen.wait_for("Expected: it simply works.")

    newcomer.edit("mine")
    assert newcomer.jira() == TITLE
    newcomer.push("Push complete: 1 ticket")
    assert newcomer.jira() == f"{TITLE}, mine"

    newcomer.edit("again")
    newcomer.jira("PUT", summary="Renamed by a colleague")
    newcomer.push("changed in Jira since .* 1 in conflict · P gets Jira's")
    assert newcomer.jira() == "Renamed by a colleague"
    screen.press("P", "1 in conflict · c resolves")
    screen.wait_for("! both sides changed Title")
    screen.press("c", "1 left to choose: Title")
    screen.press("\x1b[C", "Your present text is kept in")
    newcomer.confirm(f"{TICKET} is resolved; .* u takes it back")
    assert newcomer.title_here() == "Renamed by a colleague"

    screen.press("u", f"┌─ Take back ─+┐\n.*{TICKET} in {TICKET}.md")
    newcomer.confirm(f"{TICKET} is as it was")
    assert newcomer.title_here() == f"{TITLE}, mine, again"
    screen.wait_for("! 1 conflict")

    screen.press("J", "─ Ended ─")
    screen.wait_for(r"✓ [\d:]+  Pull demo")  # the last row, which may come in another write
    ended = [re.findall(r"^. (\S) [\d:]+  (\w+) demo", row) for row in screen.rows]
    assert [found[0] for found in ended if found] == [
        ("!", "Pull"),
        ("!", "Push"),
        ("✓", "Push"),
        ("✓", "Pull"),
    ]
    screen.press("q", "2 Tickets")
    screen.pty.type("q")

    assert screen.pty.wait_for_end() == 0
    assert screen.pty.is_restored()
    folder = newcomer.folder
    assert (
        f"Markdown files in {folder}; 'ticketr demo -C {folder}' continues with them"
        in screen.pty.output
    )
