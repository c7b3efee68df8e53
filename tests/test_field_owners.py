from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from field_owners import misplaced_writes

import ticketr

CAR = '''
from __future__ import annotations
from collections import deque

class Car:
    """A car. Also written in ``race``, for speed."""

    __slots__ = ("driver", "wheels")
    driver: Driver | None

    def __init__(self, wheels: list[int]) -> None:
        self.wheels: list[int] = wheels

class Driver:
    def __init__(self, name: str) -> None:
        self.name = name
        self.cars: dict[str, Car] = {}

    @property
    def best(self) -> Car:
        return self.cars["best"]

def find() -> Driver: ...
'''


def misplaced(folder: Path, body: str, module: str = "garage") -> list[str]:
    """Return what is found in a package where a function of a module has this body."""
    (folder / "car.py").write_text(CAR)
    (folder / f"{module}.py").write_text(
        "from __future__ import annotations\nimport trio\nfrom car import Car, Driver, find\n\n"
        "async def work(car: Car, driver: Driver, drivers: dict[str, list[Driver]], odd):\n"
        + textwrap.indent(textwrap.dedent(body), "    ")
    )
    return [name.removeprefix(f"{module}: ") for name in misplaced_writes(folder)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("driver.name = 'Ayrton'", "Driver.name"),
        ("driver.name += 'x'", "Driver.name"),
        ("del driver.name", "Driver.name"),
        ("setattr(driver, odd, 1)", "Driver.*"),
        ("driver.best.driver, other = None, 1", "Car.driver"),
        ("driver.cars['best'] = car", "Driver.cars"),
        ("del driver.cars['best']", "Driver.cars"),
        ("car.wheels.append(1)", "Car.wheels"),
        ("wheels = car.wheels\nwheels.append(1)", "Car.wheels"),
        ("x = find()\nx.name = ''", "Driver.name"),
        ("x = Car([])\nx.driver = None", "Car.driver"),
        ("for x in drivers['f1']:\n    x.name = ''", "Driver.name"),
        ("for _, some in drivers.items():\n    some[0].name = ''", "Driver.name"),
        ("[x.cars.clear() for some in drivers.values() for x in some]", "Driver.cars"),
        ("if (x := driver.cars.get('best')) is not None:\n    x.driver = driver", "Car.driver"),
        ("def inner() -> None:\n    driver.name = ''", "Driver.name"),
        ("odd.name = ''", "Driver.name"),
    ],
)
def test_a_write_outside_the_module_of_the_class_is_found(
    tmp_path: Path, body: str, found: str
) -> None:
    assert misplaced(tmp_path, body) == [found]


@pytest.mark.parametrize(
    "body",
    [
        "car = driver.name",
        "trio.lowlevel.current_task().name = ''",
        "scope = trio.CancelScope()\nscope.name = 1",
        "odd.unheard_of = 1",
        "driver.best.wheels.index(1)",
        "name = driver.name\nname = []\nname.append(1)",
    ],
)
def test_what_writes_no_field_of_the_package_is_not(tmp_path: Path, body: str) -> None:
    assert misplaced(tmp_path, body) == []


def test_one_other_module_may_write_if_the_class_names_it(tmp_path: Path) -> None:
    assert misplaced(tmp_path, "car.driver = None\ndriver.name = ''", "race") == ["Driver.name"]


def test_a_class_names_one_other_module_at_most(tmp_path: Path) -> None:
    (tmp_path / "car.py").write_text(CAR.replace("speed.", "speed. Also written in ``pit``."))

    with pytest.raises(ValueError, match=r"car\.Car names more than one other module"):
        misplaced_writes(tmp_path)


def test_every_field_of_the_queue_is_written_by_its_owner() -> None:
    assert misplaced_writes(Path(ticketr.__file__).parent / "jobs") == {}
