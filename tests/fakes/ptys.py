"""Run programs on their own terminals: type, read, stop, resize, hang up."""

from __future__ import annotations

import codecs
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from fakes.processes import LONG, PROGRAM

_SHELL = str(Path(__file__).with_name("pty_shell.py"))
DEMO = [sys.executable, str(Path(__file__).with_name("pty_demo.py"))]
#: Has the demo wait for its terminal until the terminal accepts and answers.
WITHOUT_DEADLINES = {"DEMO_WITHOUT_DEADLINES": "1"}
#: Seconds within which the kernel has moved bytes to the reader's side.
_SETTLED = 0.2
#: Variables that would change what the program detects of its terminal.
_FORGOTTEN = [
    "NO_COLOR",
    "FORCE_COLOR",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLORTERM",
    "TERM_PROGRAM",
    "COLUMNS",
    "LINES",
    "ESCDELAY",
    "SSH_CONNECTION",
    "SSH_CLIENT",
    "SSH_TTY",
    "TICKETR_ASCII",
    "TICKETR_NO_SYNC",
    "TMUX",
]


_QUESTION = re.compile(r"\x1b\[(\?u|c|>5u|<u|\?1049[hl])")


class Pty:
    """A terminal with a shell's job on it, from the user's side.

    Attributes:
        flags: The flags of the kitty keyboard protocol, if the terminal speaks it.
    """

    def __init__(self, user: int, name: str, reports: int, commands: int, keyboard: str) -> None:
        self._keyboard = keyboard
        self._speaks_protocol = keyboard in ("kitty", "late")
        self._stacks: dict[bool, list[int]] = {False: [], True: []}
        self._is_alternate = False
        self._heard = 0
        self._user = user
        self._name = name
        self._reports = reports
        self._commands = commands
        self._said = ""
        # A read may end inside a character.
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        #: The job's process, 0 once it has ended.
        self.pid = 0
        self._seen = 0
        self.output = ""
        #: The terminal's modes before the job started.
        self.modes_before = termios.tcgetattr(user)

    def type(self, keys: str | bytes) -> None:
        """Send keys, in pieces, since a terminal buffers some 4,000 characters."""
        data = keys.encode() if isinstance(keys, str) else keys
        while data:
            ready = select.select([self._user], [self._user], [], LONG)
            assert any(ready), "the program reads nothing"
            if ready[0]:
                self._read()
            if ready[1]:
                data = data[os.write(self._user, data[:512]) :]

    @property
    def flags(self) -> int:
        stack = self._stacks[self._is_alternate]
        return stack[-1] if stack else 0

    @property
    def has_own_keys(self) -> bool:
        """Return whether the keys are as before the full screen."""
        return not (self._is_alternate or any(self._stacks.values()))

    def press(self, key: str) -> None:
        """Press a key, given as a terminal without a protocol sends it."""
        self.type(encoded(key) if self.flags else key)

    def answer_questions(self) -> None:
        """Answer the questions of the program as terminals of this kind do."""
        for found in _QUESTION.finditer(self.output, self._heard):
            self._heard = found.end()
            match found[1]:
                case "c" if self._keyboard != "silent":
                    os.write(self._user, b"\x1b[?62;22c")
                case "?1049h" | "?1049l":
                    self._is_alternate = found[1].endswith("h")
                case "?u" if self._speaks_protocol:
                    os.write(self._user, f"\x1b[?{self.flags}u".encode())
                case ">5u" if self._speaks_protocol:
                    self._stacks[self._is_alternate].append(5)
                case "<u" if self._speaks_protocol and self.flags:
                    self._stacks[self._is_alternate].pop()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Read until the output since the last such call matches a pattern."""
        deadline = time.monotonic() + LONG
        while (found := re.search(pattern, self.output[self._seen :])) is None:
            left = deadline - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.output[self._seen :]!r}"
            if select.select([self._user], [], [], left)[0]:
                self._read()
        self._seen += found.end()
        return found

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and type an answer to it."""
        self.wait_for(question)
        self.type(f"{text}\r")

    def wait_for_report(self, wanted: str, *, read: bool = False) -> str:
        """Wait for a line of the shell about its job; return the line.

        Args:
            wanted: A pattern of the line's beginning.
            read: Whether to read the terminal meanwhile, as a program may wait for that.
        """
        sources = [self._reports, *([self._user] if read and self._user >= 0 else [])]
        deadline = time.monotonic() + LONG
        while (found := re.search(f"{wanted}.*\n", self._said)) is None:
            left = deadline - time.monotonic()
            assert left > 0, f"not {wanted}: {self._said!r}, {self.output!r}"
            ready = select.select(sources, [], [], left)[0]
            if self._user in ready:
                self._read()
            if self._reports in ready:
                self._said += os.read(self._reports, 1000).decode()
        self._said = self._said[found.end() :]
        return found[0].strip()

    def wait_for_end(self, *, read: bool = True) -> int:
        """Wait until the job has ended; return its exit code, negative for a signal."""
        code = int(self.wait_for_report("exited", read=read).split()[1])
        self.pid = 0
        if read:
            self.read_rest()
        return code

    def read_rest(self) -> None:
        """Read what the job has written, which has ended or stopped or writes no more for now."""
        while select.select([self._user], [], [], 0)[0]:
            self._read()

    def command(self, word: str) -> None:
        """Send the shell `fg` or `bg`."""
        os.write(self._commands, f"{word}\n".encode())

    def resize(self, width: int, height: int) -> None:
        """Resize the window."""
        resize(self._user, width, height)

    def modes(self) -> list[Any]:
        """Return the terminal's modes."""
        return termios.tcgetattr(self._user)

    def is_restored(self) -> bool:
        """Return whether all is as before the full screen, which must have been entered.

        These are the terminal's modes, the cursor, the wrap, and that of paste, focus, mouse,
        synchronized updates and the alternate screen nothing is on any more.
        """
        self.read_rest()
        last = dict(re.findall(r"\x1b\[\?(\d+)([hl])", self.output))
        on = {mode for mode, is_on in last.items() if is_on == "h"}
        assert last.keys() >= {"25", "7", "2004", "1049"}
        return on == {"25", "7"} and self.modes() == self.modes_before

    def unread(self) -> bytes:
        """Return the input that no program has read, as the shell gets it; set the terminal raw."""
        modes = self.modes()
        modes[3] &= ~termios.ICANON
        self.set_modes(modes)
        terminal = os.open(self._name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            return os.read(terminal, 1000)
        except BlockingIOError:
            return b""
        finally:
            os.close(terminal)

    def set_modes(self, modes: list[Any]) -> None:
        """Set the terminal's modes, as a shell does between jobs."""
        termios.tcsetattr(self._user, termios.TCSANOW, modes)

    def fill(self) -> None:
        """Write until the terminal accepts no more, as if it were not read.

        The bytes are ones that a terminal ignores, so they do not change the screen.
        """
        terminal = self._open()
        try:
            while _has_room(terminal):
                with suppress(BlockingIOError):
                    os.write(terminal, bytes(512))
        finally:
            os.close(terminal)

    def is_full(self) -> bool:
        """Return whether the terminal accepts nothing from any program."""
        terminal = self._open()
        try:
            return not _has_room(terminal)
        finally:
            os.close(terminal)

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._user)
        self._user = -1

    def close(self) -> None:
        for descriptor in (self._user, self._reports, self._commands):
            if descriptor >= 0:
                os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)

    def _read(self) -> None:
        self.output += self._decoder.decode(os.read(self._user, 1 << 16))
        if self._keyboard != "late":
            self.answer_questions()


def encoded(key: str) -> str:
    """Return the form that the kitty keyboard protocol gives a key."""
    if len(key) == 2 and key[0] == "\x1b":
        held = 4 if key[1].isupper() else 3
        return f"\x1b[{ord(key[1].lower())};{held}u"
    if key == "\x1b":
        return "\x1b[27u"
    if len(key) == 1 and key < " " and key not in "\r\t":
        char = " " if key == "\0" else chr(ord(key) + 64).lower()
        return f"\x1b[{ord(char)};5u"
    return {"\x1b[Z": "\x1b[9;2u", "\x1bOP": "\x1b[P", "\x1bOR": "\x1b[13~"}.get(key, key)


def _has_room(terminal: int) -> bool:
    """Return whether a terminal accepts bytes, now or after the kernel has moved its buffers."""
    return bool(select.select([], [terminal], [], _SETTLED)[1])


def wait_until(is_so: Callable[[], bool]) -> None:
    """Poll until a condition holds; no terminal is read in the meantime."""
    deadline = time.monotonic() + LONG
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be so"
        select.select([], [], [], 0.05)


def resize(terminal: int, width: int, height: int) -> None:
    """Set the size of a terminal, in cells."""
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def ticketr_on_pty(
    folder: Path, *arguments: str, env: Mapping[str, str], size: tuple[int, int] = (200, 24)
) -> AbstractContextManager[Pty]:
    """Run a command of ticketr in a folder, on its own terminal."""
    command = ["sh", "-c", 'cd "$0" && exec "$@"', str(folder), *PROGRAM, *arguments]
    return job_on_pty(command, size=size, environ=env)


@contextmanager
def job_on_pty(
    command: Sequence[str] = DEMO,
    *,
    size: tuple[int, int] = (80, 24),
    orphan: bool = False,
    environ: Mapping[str, str] | None = None,
    keyboard: str = "plain",
) -> Generator[Pty]:
    """Run a program as a shell's job on its own terminal.

    The terminal answers questions as its keyboard does: "plain" and "kitty" at once, "silent"
    none, "late" as "kitty" when the test says so.

    With `orphan`, no shell waits for it: it is the session leader, as in a container.
    """
    environment = {name: text for name, text in os.environ.items() if name not in _FORGOTTEN}
    # Python 3.13 and later would print tracebacks in colours.
    environment |= {"TERM": "xterm-256color", "PYTHON_COLORS": "0", **(environ or {})}
    user, terminal = os.openpty()
    resize(user, *size)
    reports, said = os.pipe()
    told, commands = os.pipe()
    pty = Pty(user, os.ttyname(terminal), reports, commands, keyboard)
    # Without the module that would have coverage measure the shell, too.
    shell = [sys.executable, "-S", _SHELL, str(said), str(told), str(int(orphan)), *command]
    with subprocess.Popen(
        shell,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        pass_fds=(said, told),
        start_new_session=True,
        env=environment,
    ) as process:
        for descriptor in (terminal, said, told):
            os.close(descriptor)
        try:
            pty.pid = int(pty.wait_for_report("started").split()[1])
            yield pty
        finally:
            if pty.pid:
                with suppress(ProcessLookupError):  # it has ended without the test waiting for it
                    os.kill(pty.pid, signal.SIGKILL)
            pty.close()  # this ends the shell
            process.wait(LONG)
