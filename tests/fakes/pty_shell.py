"""What a shell does for a job, as a program: run it, stop with it, continue it.

    python pty_shell.py REPORTS COMMANDS ORPHAN program arguments...

Its standard input is a terminal, which it makes its own. It writes `started PID`, `stopped`
and `exited CODE` lines to one descriptor, and reads `fg` and `bg` lines from the other; it stays until that one is
closed, because the end of a session's leader resets the terminal. If ORPHAN is 1, the program
takes its place.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import termios

#: Signals that the shell ignores, since it is in the background while the job runs.
_NOT_FOR_SHELL = (signal.SIGTTOU, signal.SIGHUP)


def main() -> None:
    reports, commands, is_orphan = map(int, sys.argv[1:4])
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if is_orphan:
        os.write(reports, b"started %d\n" % os.getpid())
        os.execvp(sys.argv[4], sys.argv[4:])
    for number in _NOT_FOR_SHELL:
        signal.signal(number, signal.SIG_IGN)
    with subprocess.Popen(
        sys.argv[4:],
        process_group=0,
        preexec_fn=take_terminal,  # noqa: PLW1509 - there are no threads
    ) as job:
        os.write(reports, b"started %d\n" % job.pid)
        job.returncode = look_after(job.pid, reports, commands)
    os.write(reports, b"exited %d\n" % job.returncode)
    os.read(commands, 1)  # until it is closed


def take_terminal() -> None:
    """Make this process, which is about to be the job, the terminal's foreground.

    If the shell did so afterwards, a job that is faster would be stopped at its first use.
    """
    os.tcsetpgrp(0, os.getpid())
    for number in _NOT_FOR_SHELL:
        signal.signal(number, signal.SIG_DFL)


def look_after(job: int, reports: int, commands: int) -> int:
    """Tell of the job's stops and do as commanded, until it has ended; gives its exit code."""
    while True:
        changed, status = os.waitpid(job, os.WUNTRACED | os.WNOHANG)
        if changed and not os.WIFSTOPPED(status):
            return os.waitstatus_to_exitcode(status)
        if changed:
            os.tcsetpgrp(0, os.getpgrp())
            os.write(reports, b"stopped\n")
        # Both the job and the test must be waited for: look at the job every now and then.
        if select.select([commands], [], [], 0.02)[0]:
            if os.read(commands, 3) == b"fg\n":
                os.tcsetpgrp(0, job)
            os.killpg(job, signal.SIGCONT)


if __name__ == "__main__":
    main()
