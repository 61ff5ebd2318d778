"""What every test can ask for."""

import pytest
from hypothesis import HealthCheck, settings

from tests.support.cluster import infra, network, seeded

__all__ = ["infra", "network", "seeded"]


# How long an example takes says something of the machine, nothing of the code.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos-seconds",
        type=int,
        default=20,
        help="how long a chaos run keeps the network under load and blows",
    )
    parser.addoption(
        "--fuzz-examples",
        type=int,
        default=2,
        help="how many random requests each operation of the API is tried with",
    )


@pytest.fixture(scope="session")
def chaos_seconds(request: pytest.FixtureRequest) -> int:
    """Seconds that a chaos run lasts."""
    seconds = request.config.getoption("--chaos-seconds")
    assert isinstance(seconds, int)
    return seconds


@pytest.fixture(scope="session")
def fuzz_examples(request: pytest.FixtureRequest) -> int:
    """How many random requests each operation is tried with."""
    examples = request.config.getoption("--fuzz-examples")
    assert isinstance(examples, int)
    return examples
