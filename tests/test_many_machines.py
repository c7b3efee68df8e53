"""Run the programs of docs/how-to/many-machines.md and examples/21_many_machines, with servers."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from fakes.postgres import Postgres, skip_without_postgres
from fakes.processes import unmeasured
from fakes.rabbitmq import RabbitMQ
from fakes.run_programs import programs_of
from psycopg import sql

ROOT = Path(__file__).parent.parent
EXAMPLES = ROOT / "examples" / "21_many_machines"
PAGE = (ROOT / "docs" / "how-to" / "many-machines.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE)
OUTCOME = "cat.png is 80 pixels wide"


@pytest.fixture(params=["page", "examples"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a folder with the programs of the page, or with the examples."""
    if request.param == "examples":
        shutil.copytree(EXAMPLES, tmp_path, dirs_exist_ok=True)
    else:
        for program in programs_of(PAGE):
            (tmp_path / program.name).write_text(program.code, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    """Return a PostgreSQL."""
    skip_without_postgres()
    server = Postgres()
    yield server
    server.remove()


@pytest.fixture
def postgres(server: Postgres, folder: Path) -> dict[str, str]:
    """Return the environment in which programs find a database of their own."""
    name = folder.name
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    login = {"PGUSER": "postgres", "PGDATABASE": name}
    return {"PGHOST": "127.0.0.1", "PGPORT": str(server.port), **login}


@pytest.fixture(scope="module")
def rabbitmq() -> Iterator[dict[str, str]]:
    """Return the environment in which programs find a RabbitMQ."""
    server = RabbitMQ()
    yield {"CELERY_BROKER_URL": server.url}
    server.close()


def command(start: str) -> list[str]:
    """Return the command of the page that begins so, with the programs of this environment."""
    (line,) = (line for line in COMMANDS if line.startswith(start))
    program, *arguments = shlex.split(line)
    return [str(Path(sys.executable).with_name(program)), *arguments]


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        arguments,
        cwd=folder,
        env=unmeasured() | environment,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def worker(
    arguments: list[str], folder: Path, environment: dict[str, str]
) -> Generator[subprocess.Popen[str]]:
    """Run a worker during the block, end it as systemd does, and check that it ends well."""
    with subprocess.Popen(
        arguments, cwd=folder, env=unmeasured() | environment, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=500)
            assert process.returncode == 0
        finally:
            process.kill()


@pytest.mark.parametrize("name", ["in_memory", "in_a_store"])
def test_the_function_runs_on_one_machine(name: str, tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(EXAMPLES)}

    printed = run([sys.executable, str(EXAMPLES / f"{name}.py")], tmp_path, environment)

    assert printed == f"{OUTCOME}\n"


@pytest.mark.unmeasured
def test_the_function_runs_on_procrastinate(folder: Path, postgres: dict[str, str]) -> None:
    submit = [sys.executable, "submit_to_procrastinate.py"]

    run(command("python -m procrastinate"), folder, postgres)
    with worker(command("python -m ticketr.procrastinate"), folder, postgres) as process:
        printed = run(submit, folder, postgres)
        assert process.stderr is not None
        while (line := process.stderr.readline()) and OUTCOME not in line:
            pass

    assert re.fullmatch(r"job \d+\n", printed)
    assert "Success" in line


@pytest.mark.unmeasured
def test_the_function_runs_on_celery(folder: Path, rabbitmq: dict[str, str]) -> None:
    with worker(command("celery -A"), folder, rabbitmq):
        printed = run([sys.executable, "submit_to_celery.py"], folder, rabbitmq)

    assert printed == f"{OUTCOME}\n"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_a_program_has_at_most_15_lines(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len([line for line in lines if line]) <= 15


def test_the_unit_and_the_container_run_the_worker_of_the_page() -> None:
    (unit,) = re.findall(r"^ExecStart=(.+)$", PAGE, re.MULTILINE)
    (container,) = re.findall(r"^CMD (.+)$", PAGE, re.MULTILINE)
    (other_unit,) = re.findall(r"`ExecStart=(.+?)`", PAGE)
    folder = "/srv/pictures/.venv/bin/"

    assert unit.removeprefix(folder) in COMMANDS
    assert " ".join(json.loads(container)) in COMMANDS
    assert other_unit.removeprefix(folder) in COMMANDS


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("needs systemd-analyze: the package systemd of Debian")
    (unit,) = re.findall(r"^```ini\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").symlink_to(sys.executable)
    path = tmp_path / "pictures.service"
    path.write_text(unit.replace("/srv/pictures", str(tmp_path)), encoding="utf-8")

    verified = subprocess.run(
        [analyze, "verify", "--man=no", str(path)],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert "pictures.service" not in verified.stderr
    assert verified.returncode == 0
