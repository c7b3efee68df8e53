"""Names of functions and classes for other processes."""

from __future__ import annotations

import functools
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ticketr import NotSendable
from ticketr.jobs._calls.importable import LoadFailed, import_by_name, importable_name


def function() -> None:
    pass


class Class:
    def method(self) -> None:
        pass

    @classmethod
    def of_class(cls) -> None:
        pass

    @staticmethod
    def static() -> None:
        pass


def nested() -> Any:
    def inner() -> None:
        pass

    return inner


@functools.wraps(function)
def wrapper() -> None:
    pass


@pytest.mark.parametrize(
    "thing",
    [
        function,
        Class,
        Class.method,
        Class.of_class,
        Class.static,
        math.sqrt,
    ],
)
def test_a_name_stands_for_what_it_was_made_of(thing: Any) -> None:
    name = importable_name(thing, "it")

    assert name.endswith(f":{thing.__qualname__}")
    assert import_by_name(name) == thing


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (lambda: None, "is a lambda, which cannot be imported. Write a function at the top level"),
        (nested(), "is defined inside a function, so it cannot be imported"),
        (Class().method, "is a method of one object"),
        (functools.partial(function), "has no name to import it by"),
        (wrapper, "is not what .*:function stands for"),
    ],
)
def test_what_no_name_stands_for_is_refused(thing: Any, words: str) -> None:
    with pytest.raises(NotSendable, match=f"^it cannot be sent: .*{words}"):
        importable_name(thing, "it")


def test_a_function_of_a_module_that_cannot_be_imported_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(function, "__module__", "no_such_module")

    with pytest.raises(NotSendable, match="cannot be imported: no_such_module:function cannot be"):
        importable_name(function, "it")


@pytest.mark.parametrize("line", ["raise ValueError('no')", "import sys; sys.exit('no')"])
def test_a_module_that_fails_to_import_says_why(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_module.py").write_text(line)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(LoadFailed, match=r"^broken_module:f cannot be imported: no$"):
        import_by_name("broken_module:f")


PROGRAM = """
from ticketr.jobs._calls.importable import import_by_name, importable_name

def function():
    pass

if __name__ == "__main__":
    name = importable_name(function, "it")
    print(name, import_by_name(name) is function)
"""


def printed(*command: str, cwd: Path) -> str:
    done = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, check=False
    )
    return (done.stdout + done.stderr).strip().splitlines()[-1]


def test_a_function_of_the_program_has_the_name_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "01_program.py").write_text(PROGRAM)

    assert printed("01_program.py", cwd=tmp_path) == "01_program:function True"


def test_a_function_of_a_module_that_is_run_has_its_name(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(PROGRAM)
    (tmp_path / "package" / "module.py").write_text(PROGRAM)

    assert printed("-m", "package.module", cwd=tmp_path) == "package.module:function True"
    assert printed("-m", "package", cwd=tmp_path) == "package.__main__:function True"


def test_a_function_of_a_program_without_a_file_is_refused(tmp_path: Path) -> None:
    assert printed("-c", PROGRAM, cwd=tmp_path).endswith(
        "is defined in the program's own file, which cannot be imported. Write it in a module, and"
        " import that"
    )
