"""Join, heartbeat, outbox and receipts under a simulated clock and network.

`--simulation-seeds=N` lives through the seeds 1 to N, `--simulation-seed=S` through one of
them and prints, with `-s`, all that befell it.
"""

import subprocess
import sys
import time
from collections import Counter

import pytest

from tests.simulation.life import live
from tests.simulation.planted import PLANTED, Planted
from tests.support.fault_proxy import REPOSITORY

pytestmark = pytest.mark.timeout(3600)

SOUGHT_IN = 40
_FAULTS = (
    *("line cut", "line bad", "agent killed", "process killed", "broker killed"),
    *("database killed", "hub set back", "node's clock jumped", "hub's clock jumped"),
    *("decision", "suspended", "resumed", "revoked", "renewed"),
    *("joined", "joins anew", "join killed", "answer given again", "stranger found out"),
    *("line torn at the joining", "token stolen", "spent token stolen", "token of another"),
    *(
        f"refused: {reason}"
        for reason in (
            *("JOIN_TOKEN_USED", "JOIN_TOKEN_EXPIRED", "JOIN_TOKEN_UNKNOWN"),
            *("JOIN_TOKEN_OF_ANOTHER_NODE", "CLOCK_TOO_FAR_OFF", "UNAVAILABLE"),
        )
    ),
)


def test_nothing_is_lost_doubled_or_disordered_and_no_node_flaps(
    simulation_seeds: range, capsys: pytest.CaptureFixture[str]
) -> None:
    happened: Counter[str] = Counter()
    began = time.process_time()
    for seed in simulation_seeds:
        verdict = live(seed)
        if len(simulation_seeds) == 1:
            sys.stdout.write("\n".join(["", *verdict.diary, ""]))
        assert not verdict.wrong, f"--simulation-seed={seed}: " + "; ".join(verdict.wrong)
        happened += verdict.happened
    with capsys.disabled():
        sys.stdout.write(
            f"\nsimulation: {len(simulation_seeds)} seeds in {time.process_time() - began:.0f} s"
            f" CPU: {', '.join(f'{count} × {what}' for what, count in sorted(happened.items()))}\n"
        )
    if len(simulation_seeds) >= 100:
        assert not set(_FAULTS) - happened.keys()
        assert happened["reports taken"] > 50 * len(simulation_seeds)


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_is_found(planted: Planted) -> None:
    found: list[str] = []
    for seed in range(1, SOUGHT_IN + 1):
        wrong = live(seed, planted.rules(), planted.while_in).wrong
        found = [line for line in wrong if planted.words in line]
        if found:
            # The same seed is a good life without the fault.
            assert live(seed).wrong == []
            return
    pytest.fail(f"not found in {SOUGHT_IN} seeds")


def test_a_seed_gives_the_same_life_again_also_in_another_process() -> None:
    script = "from tests.simulation.life import live; print(live(7).trace)"
    again = [
        subprocess.run(
            (sys.executable, "-c", script),
            cwd=REPOSITORY,
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    ]
    assert again == [live(7).trace] * 2
    assert live(8).trace != live(7).trace
