"""What every test can ask for."""

from collections.abc import Generator

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from tests.support.cluster import infra, network, seeded

__all__ = ["infra", "network", "seeded"]


# How long an example takes says something of the machine, nothing of the code.
_ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
# Whoever changes something sees what the change does, not what chance has found meanwhile.
settings.register_profile("the same each time", _ANY_MACHINE, derandomize=True)
settings.register_profile("at random", _ANY_MACHINE, derandomize=False)


def pytest_configure(config: pytest.Config) -> None:
    at_random = config.getoption("--at-random")
    settings.load_profile("at random" if at_random else "the same each time")
    if not at_random:
        # Some values are drawn from the constants in our modules, as far as they are loaded:
        # that differs with what has run before in the same process.
        pytest.MonkeyPatch().setattr(providers, "_get_local_constants", Constants)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos-seconds",
        type=int,
        default=20,
        help="how long a chaos run keeps the network under load and blows",
    )
    parser.addoption(
        "--drill-seconds",
        type=int,
        default=4,
        help="how long the network is written to before and after its backup is taken",
    )
    parser.addoption(
        "--fuzz-examples",
        type=int,
        default=2,
        help="how many random requests each operation of the API is tried with",
    )
    parser.addoption(
        "--at-random",
        action="store_true",
        help="try requests and examples that differ with each run, to find what is not known yet",
    )
    parser.addoption(
        "--line-reports",
        type=int,
        default=3_000,
        help="how many reports a node brings over a line that fails",
    )
    parser.addoption(
        "--rolling-seconds",
        type=int,
        default=0,
        help="how long processes are replaced under load; each is at least once",
    )
    parser.addoption(
        "--away-seconds",
        type=int,
        default=20,
        help="how long the database is away",
    )
    parser.addoption(
        "--simulation-seeds",
        type=int,
        default=300,
        help="how many lives of the simulated network are lived through",
    )
    parser.addoption(
        "--simulation-seed",
        type=int,
        default=0,
        help="live through this one seed of the simulated network, as one that failed says",
    )


# What puts the machine under load, or measures it.
_ALONE = ("bench", "chaos", "drill", "line", "replicas")
# The order in which folders begin. Who runs files side by side is then not left with a long
# one at the end, while all others are done.
_LONGEST_FIRST = ("e2e", "simulation", "integration", "contract", "unit")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = config.rootpath / "tests"

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0]
        return _LONGEST_FIRST.index(folder) if folder in _LONGEST_FIRST else -1

    for item in items:
        if item.path.relative_to(here).parts[0] in _ALONE:
            item.add_marker(pytest.mark.alone)
    items.sort(key=place)


@pytest.fixture(autouse=True)
def logs_as_before() -> Generator[None]:
    """A command that a test runs in this process may quiet its logs; the next test's are not."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def simulation_seeds(request: pytest.FixtureRequest) -> range:
    """The seeds of the simulated network to live through."""
    one = request.config.getoption("--simulation-seed")
    count = request.config.getoption("--simulation-seeds")
    assert isinstance(one, int)
    assert isinstance(count, int)
    return range(one, one + 1) if one else range(1, count + 1)


@pytest.fixture(scope="session")
def line_reports(request: pytest.FixtureRequest) -> int:
    """Reports that a node brings over a line that fails."""
    reports = request.config.getoption("--line-reports")
    assert isinstance(reports, int)
    return reports


@pytest.fixture(scope="session")
def chaos_seconds(request: pytest.FixtureRequest) -> int:
    """Seconds that a chaos run lasts."""
    seconds = request.config.getoption("--chaos-seconds")
    assert isinstance(seconds, int)
    return seconds


@pytest.fixture(scope="session")
def drill_seconds(request: pytest.FixtureRequest) -> int:
    """Seconds that the network is written to before and after its backup is taken."""
    seconds = request.config.getoption("--drill-seconds")
    assert isinstance(seconds, int)
    return seconds


@pytest.fixture(scope="session")
def rolling_seconds(request: pytest.FixtureRequest) -> int:
    """Seconds for which processes are replaced under load."""
    seconds = request.config.getoption("--rolling-seconds")
    assert isinstance(seconds, int)
    return seconds


@pytest.fixture(scope="session")
def away_seconds(request: pytest.FixtureRequest) -> int:
    """Seconds for which the database is away."""
    seconds = request.config.getoption("--away-seconds")
    assert isinstance(seconds, int)
    return seconds


@pytest.fixture(scope="session")
def fuzz_examples(request: pytest.FixtureRequest) -> int:
    """How many random requests each operation is tried with."""
    examples = request.config.getoption("--fuzz-examples")
    assert isinstance(examples, int)
    return examples
