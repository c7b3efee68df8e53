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


def main() -> None:
    reports, commands, is_orphan = map(int, sys.argv[1:4])
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if is_orphan:
        os.write(reports, b"started %d\n" % os.getpid())
        os.execvp(sys.argv[4], sys.argv[4:])
    with subprocess.Popen(sys.argv[4:], process_group=0) as job:
        os.tcsetpgrp(0, job.pid)
        os.write(reports, b"started %d\n" % job.pid)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # from now on we are in the background
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        job.returncode = look_after(job.pid, reports, commands)
    os.write(reports, b"exited %d\n" % job.returncode)
    os.read(commands, 1)  # until it is closed


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
