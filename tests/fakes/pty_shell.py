"""What a shell does for a job, as a program: run it, stop with it, continue it.

    python pty_shell.py REPORTS COMMANDS program arguments...

Its standard input is a terminal, which it makes its own. It writes `stopped` and `exited CODE`
lines to one descriptor, and reads `fg` and `bg` lines from the other; it stays until that one is
closed, because the end of a session's leader resets the terminal.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios


def main() -> None:
    reports, commands = int(sys.argv[1]), os.fdopen(int(sys.argv[2]))
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    with subprocess.Popen(sys.argv[3:], process_group=0) as job:
        os.tcsetpgrp(0, job.pid)
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # from now on we are in the background
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        while True:
            _, status = os.waitpid(job.pid, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                break
            os.tcsetpgrp(0, os.getpgrp())
            os.write(reports, b"stopped\n")
            for command in commands:
                if command == "fg\n":
                    os.tcsetpgrp(0, job.pid)
                os.killpg(job.pid, signal.SIGCONT)
                if command == "fg\n":
                    break
        job.returncode = os.waitstatus_to_exitcode(status)
    os.write(reports, b"exited %d\n" % job.returncode)
    commands.read()


if __name__ == "__main__":
    main()
