"""What every test can ask for."""

import pytest

from tests.support.cluster import infra, network

__all__ = ["infra", "network"]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--chaos-seconds",
        type=int,
        default=20,
        help="how long a chaos run keeps the network under load and blows",
    )


@pytest.fixture(scope="session")
def chaos_seconds(request: pytest.FixtureRequest) -> int:
    """Seconds that a chaos run lasts."""
    seconds = request.config.getoption("--chaos-seconds")
    assert isinstance(seconds, int)
    return seconds
