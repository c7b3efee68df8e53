"""The log for support: which requests and jobs a workspace had, and why they failed.

It holds no text of a ticket, no e-mail and no token, since no line is given one: a request is its
method, the path without values, its status and its time; a failure is the types of its errors and
the lines of ticketr that raised them.
"""

from __future__ import annotations

import logging
import os
import stat
import traceback
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from logging.handlers import QueueListener, RotatingFileHandler
from pathlib import Path
from queue import SimpleQueue

from ticketr._errors import TicketrError
from ticketr.app.config.files import open_write_folder
from ticketr.app.config.state_folder import STATE_FOLDER, StateFolder

#: The variable that names another folder for the log.
LOG_FOLDER_VARIABLE = "TICKETR_LOG_DIR"
LOG_FILE = "ticketr.log"
#: The most files, and the most bytes of each.
FILES, MAX_BYTES = 10, 512 * 1024
#: The most causes of a failure that are written.
MAX_LOGGED_CAUSES = 10
_LOG_FOLDER = f"{STATE_FOLDER}/log"
_OPEN_LOG_FLAGS = (
    os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
)


class _LogFileHandler(RotatingFileHandler):
    """The files of the log, none of which is opened through a link.

    Args:
        path: The newest file.
        root: The workspace that it is in; None if the user has named another folder.

    Raises:
        OSError: The file cannot be opened, or something else has its name.
    """

    def __init__(self, path: Path, root: Path | None) -> None:
        self._root = root
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=FILES - 1)
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(message)s"))

    def _open(self) -> TextIOWrapper:
        if self._root is None:
            descriptor = os.open(self.baseFilename, _OPEN_LOG_FLAGS, 0o600)
        else:
            with open_write_folder(
                self._root, _LOG_FOLDER, make=True, is_in_state_folder=True
            ) as folder:
                descriptor = os.open(LOG_FILE, _OPEN_LOG_FLAGS, 0o600, dir_fd=folder)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError("it is not a file")
        return os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Do nothing: a full disk must neither stop a job nor disturb the screen."""


class SupportLog:
    """The open log of a workspace. If it has no file, it drops what is written to it.

    A line goes through a queue to a thread that writes it. So a disk that stalls does not stop
    Trio's thread, what was logged before a kill is on the disk, and nothing wakes up in between.

    Attributes:
        path: The newest file; None if it cannot be written.
    """

    def __init__(self, root: Path, environ: Mapping[str, str]) -> None:
        self.path: Path | None = None
        self._listener: QueueListener | None = None
        # No logger by name: no handler of the user's, and no other workspace, gets these lines.
        self._lines = SimpleQueue[logging.LogRecord]()
        chosen = environ.get(LOG_FOLDER_VARIABLE)
        with suppress(OSError, TicketrError):
            if chosen:
                folder = Path(chosen).absolute()
                folder.mkdir(parents=True, exist_ok=True)
            else:
                StateFolder(root / STATE_FOLDER).make()
                folder = root / _LOG_FOLDER
            file = _LogFileHandler(folder / LOG_FILE, None if chosen else root)
            self._listener = QueueListener(self._lines, file)
            self._listener.start()
            self.path = folder / LOG_FILE

    def write_unredacted(self, line: str, *values: object) -> None:
        """Write a line as it is; never blocks.

        Args:
            line: The line, as for `logging`. It must hold no secret.
            values: The values of its placeholders; neither may they.
        """
        if self.path is not None:
            self._lines.put(logging.makeLogRecord({"msg": line, "args": values}))

    @contextmanager
    def log_job(self, name: str) -> Generator[None]:
        """Write the begin and the end of the job in the block."""
        self.write_unredacted("%s: begins", name)
        try:
            yield
        except Exception as error:
            self.write_failure_without_messages(name, error)
            raise
        except BaseException:
            self.write_unredacted("%s: cancelled", name)
            raise
        self.write_unredacted("%s: done", name)

    def write_failure_without_messages(self, what: str, error: BaseException) -> None:
        """Write why something failed, without a word of the messages of its errors.

        A line has the types of the error and of its causes, each with the lines of code that raised it.
        """
        causes: list[str] = []
        reason: BaseException | None = error
        while reason is not None and len(causes) < MAX_LOGGED_CAUSES:
            frames = traceback.extract_tb(reason.__traceback__)
            places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[-8:]]
            number = f" {reason.errno}" if isinstance(reason, OSError) else ""
            causes.append(f"{type(reason).__name__}{number} at {' '.join(places) or '?'}")
            following = reason.__cause__ or reason.__context__
            if isinstance(reason, BaseExceptionGroup):
                following = reason.exceptions[0]
            reason = following
        self.write_unredacted("%s: failed: %s", what, "; from ".join(causes))

    def close(self) -> None:
        """Write what is left, and close the file."""
        if self._listener is not None:
            self._listener.stop()
            for handler in self._listener.handlers:
                handler.close()
