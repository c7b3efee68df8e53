"""Jobs as bytes for another process, and what is refused."""

from __future__ import annotations

import functools
import json
import math
import subprocess
import sys
import threading
from dataclasses import InitVar, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from ticketr import JobContext, NotSendable, in_thread, plain
from ticketr.jobs._calls import (
    LoadFailed,
    codec_named,
    import_by_name,
    importable_name,
    pack_job,
    pack_value,
    unpack_job,
)
from ticketr.jobs._values import safe_repr

JSON, PICKLE = codec_named("json"), codec_named("pickle")


async def work(context: JobContext, *args: object, **keywords: object) -> object:
    return args, keywords


async def fetch(*args: object) -> object:
    return args


def block(*args: object) -> object:
    return args


@dataclass(frozen=True, slots=True)
class PullJob:
    path: str
    limit: int = 5
    name: str = "pull"
    seen: list[str] = field(default_factory=list, init=False, compare=False)

    async def execute(self, context: JobContext) -> str:
        return self.path


@dataclass
class Changing:
    number: int

    def __post_init__(self) -> None:
        self.number += 1

    async def execute(self, context: JobContext) -> None: ...


@dataclass
class Picky:
    number: int

    def __post_init__(self) -> None:
        if self.number > 1:
            raise ValueError("too large")

    async def execute(self, context: JobContext) -> None: ...


def changed(job: Any, **fields: object) -> object:
    """Return a job with these fields alone."""
    job.__dict__ = fields
    return job


@dataclass
class WithInitVar:
    number: int
    other: InitVar[int] = 0

    async def execute(self, context: JobContext) -> None: ...


class PlainObject:
    def __init__(self, number: int) -> None:
        self.number = number

    async def execute(self, context: JobContext) -> None: ...


class Word(StrEnum):
    A = "a"


class NotReadAgain(Exception):
    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first} {second}")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("aäß☃'\"\\"), inner),
    max_leaves=10,
)  # fmt: skip
ALL_VALUES = st.recursive(
    JSON_VALUES | st.floats() | st.text() | st.binary() | st.just(Word.A),
    lambda inner: (
        st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=10,
)


def kinds_of(value: Any) -> object:
    """Return a value with the classes of all that is in it."""
    if isinstance(value, (list, tuple)):
        return type(value), [kinds_of(item) for item in value]
    if isinstance(value, dict):
        return dict, [(kinds_of(name), kinds_of(item)) for name, item in value.items()]
    return type(value), repr(value)


@pytest.mark.parametrize("codec", [JSON, PICKLE])
@pytest.mark.parametrize("args", [(), (1, "ä"), ([{"a": None}], True, -0.0, 2**2000)])
def test_a_function_and_its_arguments_come_back(codec: Any, args: tuple[object, ...]) -> None:
    job, found = unpack_job(pack_job(work, args, codec), codec)

    assert job is work
    assert kinds_of(found) == kinds_of(args)


def test_json_is_readable_in_the_file() -> None:
    data = pack_job(functools.partial(work, flag="ä"), (1,), JSON)

    assert json.loads(data) == {
        "job": {"partial": {"function": f"{__name__}:work"}, "args": [], "keywords": {"flag": "ä"}},
        "args": [1],
    }


@pytest.mark.parametrize("codec", [JSON, PICKLE])
async def test_adapters_come_back(codec: Any) -> None:
    async def result(job: Any) -> object:
        loaded, args = unpack_job(pack_job(job, (2,), codec), codec)
        return await loaded(None, *args)

    assert await result(plain(fetch)) == (2,)
    assert await result(in_thread(block)) == (2,)
    assert await result(functools.partial(work, b=3)) == ((2,), {"b": 3})
    assert await result(plain(functools.partial(fetch, 1))) == (1, 2)
    thread, _ = unpack_job(pack_job(in_thread(block, abandon_on_cancel=True), (), codec), codec)
    assert thread.abandon_on_cancel


@pytest.mark.parametrize("codec", [JSON, PICKLE])
def test_a_dataclass_comes_back(codec: Any) -> None:
    job, args = unpack_job(pack_job(PullJob("a", name="ä"), (), codec), codec)

    assert job == PullJob("a", name="ä")
    assert args == ()


@pytest.mark.parametrize(
    ("job", "args", "words"),
    [
        (work, (1, {"a": [0, (1, 2)]}), r"argument 2\['a'\]\[1\] cannot be sent: \(1, 2\) would"),
        (work, (Path("a"),), r"argument 1 cannot be sent: PosixPath\('a'\) is of <class"),
        (work, ({1: 2},), "argument 1 cannot be sent: 1 is a key of a dict, and JSON's keys"),
        (work, (["\ud800"],), r"argument 1\[0\] .* is text that UTF-8 cannot encode"),
        (work, (math.nan,), "argument 1 cannot be sent: nan is not a number that JSON has"),
        (work, (2**2048,), "is too long a number"),
        (functools.partial(work, b=b""), (), "argument 'b' of functools.partial.* b'' is of"),
        (PullJob(Path("a")), (), "field 'path' of PullJob cannot be sent: Pos"),  # type: ignore[arg-type]
        (PlainObject(1), (), "is not a dataclass. Make its class one, or choose codec='pickle'"),
        (Changing(1), (), "field 'number' of Changing .* 2 becomes 3 when the object is rebuilt"),
        (changed(Picky(1), number=2), (), "cannot be rebuilt: .*Picky cannot be made of its"),
        (changed(Picky(1)), (), "has a field that cannot be read: .*'number'"),
        (WithInitVar(1, 2), (), "is not made of its fields alone"),
        (lambda _: None, (), "the job cannot be sent: .* is a lambda"),
    ],
)
def test_json_refuses_what_would_not_come_back(
    job: Any, args: tuple[object, ...], words: str
) -> None:
    with pytest.raises(NotSendable, match=words):
        pack_job(job, args, JSON)


def test_nested_values_have_a_limit() -> None:
    deep: object = []
    for _ in range(100):
        deep = [deep]

    with pytest.raises(NotSendable, match=r"argument 1(\[0\]){100} .* nested more than 100 deep"):
        pack_job(work, (deep,), JSON)


@pytest.mark.parametrize(
    ("job", "args", "words"),
    [
        (work, (1, threading.Lock()), "argument 2 cannot be sent: .* cannot be pickled, or not"),
        (work, (NotReadAgain(1, 2),), "argument 1 .* not be read again: .* 'second'"),
        (PlainObject(lambda: 1), (), "the job cannot be sent: .* cannot be pickled"),  # type: ignore[arg-type]
        (lambda _: None, (), "the job cannot be sent: .* is a lambda"),
    ],
)
def test_pickle_refuses_what_does_not_come_back(
    job: Any, args: tuple[object, ...], words: str
) -> None:
    with pytest.raises(NotSendable, match=words):
        pack_job(job, args, PICKLE)


@pytest.mark.parametrize("value", [PlainObject, PlainObject(1), block])
def test_pickle_refuses_what_only_this_program_has(
    value: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for thing in (PlainObject, block):
        monkeypatch.setattr(thing, "__module__", "__main__")

    with pytest.raises(NotSendable, match=r"argument 1 cannot be sent: .* cannot be pickled"):
        pack_job(work, (value,), PICKLE)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{", "this is not JSON"),
        (b"[" * 100_000, "this is not JSON"),
        (b'{"job":{},"args":[]}', "this is not a job: "),
        (b'{"job":{"function":"math:nothing"},"args":[]}', "math:nothing cannot be imported"),
        (
            b'{"job":{"object":"math:sqrt","fields":{}},"args":[]}',
            "math:sqrt is no longer a class",
        ),
    ],
)
def test_damaged_bytes_say_so(data: bytes, words: str) -> None:
    with pytest.raises(LoadFailed, match=words):
        unpack_job(data, JSON)


def test_a_pickle_of_a_module_that_exits_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "exits_when_imported.py").write_text("raise SystemExit('no main guard')\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(LoadFailed, match="this cannot be unpickled: no main guard"):
        PICKLE.decode(b"cexits_when_imported\nAny\n.")


@given(JSON_VALUES)
def test_what_json_has_comes_back_exactly(value: object) -> None:
    assert kinds_of(JSON.decode(pack_value(value, JSON))) == kinds_of(value)


@given(ALL_VALUES)
def test_all_else_is_refused_with_its_place(value: object) -> None:
    try:
        data = pack_value(value, JSON, "it")
    except NotSendable as error:
        flaw = error
    else:
        assert kinds_of(JSON.decode(data)) == kinds_of(value)
        return
    if not flaw.problem.startswith("is a key"):
        assert safe_repr(eval(flaw.what, {"it": value})) == flaw.value


# Names of functions and classes for other processes.


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
from ticketr.jobs._calls import import_by_name, importable_name

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


@pytest.mark.parametrize(
    ("command", "module"),
    [
        (["01_program.py"], "01_program"),
        (["-m", "package.module"], "package.module"),
        (["-m", "package"], "package.__main__"),
    ],
)
def test_a_function_of_the_program_has_the_name_of_its_file(
    command: list[str], module: str, tmp_path: Path
) -> None:
    (tmp_path / "package").mkdir()
    for file in ("01_program.py", "package/__main__.py", "package/module.py"):
        (tmp_path / file).write_text(PROGRAM)

    assert printed(*command, cwd=tmp_path) == f"{module}:function True"


@pytest.mark.parametrize(
    "command",
    [["-c", PROGRAM], ["-P", "01_program.py"], ["-P", "json.py"], ["-P", "time.py"]],
    ids=["no file", "not on the path", "another file", "built-in"],
)
def test_a_function_of_a_program_that_cannot_be_imported_is_refused(
    command: list[str], tmp_path: Path
) -> None:
    for file in ("01_program.py", "json.py", "time.py"):  # -P leaves their folder out
        (tmp_path / file).write_text(PROGRAM)

    assert printed(*command, cwd=tmp_path).endswith(
        "is defined in the program's own file, which cannot be imported. Write it in a module, and"
        " import that"
    )
