"""The check of the contracts finds what breaks a caller, and passes what does not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CENTERS = "peyvand/centers/v1/centers.proto"


def check(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "check.py"), *arguments],
        capture_output=True,
        check=False,
        text=True,
    )


@pytest.fixture(scope="module")
def promised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the contracts, whose baseline is what they say, outside of any git repository."""
    folder = tmp_path_factory.mktemp("contracts") / "proto"
    shutil.copytree(ROOT / "proto", folder, ignore=shutil.ignore_patterns("gen", "__pycache__"))
    accepted = check(folder, "--accept", "--breaking")
    assert accepted.returncode == 0, accepted.stderr
    return folder


@pytest.fixture
def contracts(promised: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(promised, tmp_path / "proto"))


def change(folder: Path, old: str, new: str) -> None:
    path = folder / CENTERS
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_contracts_of_this_repository_pass() -> None:
    result = check(ROOT / "proto")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("old", "new", "finding"),
    [
        ("string code = 3", "string kod = 3", 'from "code" to "kod"'),
        ("{center_id}:open", "{center_id}:begin", "is not at POST /v1/centers/{center_id}:open"),
        (
            "Position position = 7;",
            "Position position = 7 [(google.api.field_behavior) = REQUIRED];",
            "Center.position: is required now",
        ),
        ("max_len: 20 pattern", "max_len: 10 pattern", "Center.code: max_len is 10, was 20"),
        ('= "If-Match"', '= "X-Version"', "from the header If-Match to the header X-Version"),
        (
            "[ROLE_HQ_ADMIN, ROLE_HQ_ANALYST]",
            "ROLE_HQ_ADMIN",
            "ROLE_HQ_ANALYST may not call it any more",
        ),
        ('names: "opened"', 'names: "begun"', "the event opened is not sent any more"),
        (
            "Position position = 7;",
            "Position position = 7 [(google.api.field_behavior) = OUTPUT_ONLY];",
            "Center.position: is not taken from callers any more",
        ),
        (
            "external_key = 2 [(google.api.field_behavior) = IMMUTABLE",
            "external_key = 2 [(google.api.field_behavior) = OUTPUT_ONLY",
            "Center.external_key: is not taken from callers any more",
        ),
        (
            "Position position = 7;",
            "Position position = 7 [(google.api.field_behavior) = IMMUTABLE];",
            "Center.position: cannot be changed any more",
        ),
        (
            'pattern: "^[A-Z][A-Z0-9-]*$"',
            'pattern: "^[A-Z]*$"',
            "Center.code: must match ^[A-Z]*$ now, was ^[A-Z][A-Z0-9-]*$",
        ),
        (
            "CENTER_CODE_TAKEN = 1 [(peyvand.api.v1.error) = {http_status: 409",
            "CENTER_CODE_TAKEN = 1 [(peyvand.api.v1.error) = {http_status: 422",
            "CENTER_CODE_TAKEN: comes with status 422, was 409",
        ),
        ("  // City.\n", "", 'Field "city" should have a non-empty comment'),
    ],
)
def test_a_change_that_breaks_somebody_is_named(
    contracts: Path, old: str, new: str, finding: str
) -> None:
    change(contracts, old, new)
    result = check(contracts)
    assert result.returncode == 1
    assert finding in result.stderr


def test_an_addition_passes_and_is_a_promise_once_accepted(contracts: Path) -> None:
    added = "  // Its motto.\n  string motto = 99 [(peyvand.api.v1.rules) = {max_len: 9}];\n"
    change(contracts, "  // True for sample data", f"{added}  // True for sample data")
    assert check(contracts).returncode == 0
    assert check(contracts, "--accept").returncode == 0
    change(contracts, added, "")
    taken_back = check(contracts)
    assert taken_back.returncode == 1
    assert '"motto"' in taken_back.stderr


def test_an_alternative_that_is_added_to_a_pattern_breaks_nobody(contracts: Path) -> None:
    change(contracts, 'pattern: "^[A-Z][A-Z0-9-]*$"', 'pattern: "^[A-Z][A-Z0-9-]*$|^[a-z]+$"')
    result = check(contracts)
    assert result.returncode == 0, result.stderr


def test_a_break_is_not_accepted_in_passing(contracts: Path) -> None:
    before = (contracts / "baseline.binpb").read_bytes()
    change(contracts, "string code = 3", "string kod = 3")
    assert check(contracts, "--accept").returncode == 1
    assert (contracts / "baseline.binpb").read_bytes() == before


def test_a_commit_that_is_not_here_is_said_plainly(contracts: Path) -> None:
    result = check(contracts, "--against", "v0.0.1")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert "v0.0.1" in result.stderr


def test_a_missing_baseline_is_not_a_pass(contracts: Path) -> None:
    (contracts / "baseline.binpb").unlink()
    result = check(contracts)
    assert result.returncode == 1
    assert "baseline.binpb is missing" in result.stderr
