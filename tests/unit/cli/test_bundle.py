"""The offline bundle: what verifies it, and the wheels that are made without an index."""

import base64
import csv
import hashlib
import io
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from peyvandctl.bundle import BundleKey
from peyvandctl.bundle_files import verify
from peyvandctl.errors import ClusterError
from peyvandctl.paths import Home
from peyvandctl.wheels import closure, make_wheels

_ORDER = 2**252 + 27742317777372353535851937790883648493


@settings(max_examples=15)
@given(
    seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=300), bit=st.integers(0)
)
def test_signatures_are_judged_as_the_library_does(seed: bytes, message: bytes, bit: int) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify.is_signed(public, message, signature)
    place, mask = (bit // 8) % 64, 1 << bit % 8
    changed = bytearray(signature)
    changed[place] ^= mask
    assert not verify.is_signed(public, message, bytes(changed))
    assert not verify.is_signed(public, message + b"\0", signature)


def test_a_second_form_of_the_same_signature_is_refused() -> None:
    key = Ed25519PrivateKey.generate()
    public, signature = key.public_key().public_bytes_raw(), key.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little") + _ORDER
    assert not verify.is_signed(public, b"m", signature[:32] + scalar.to_bytes(32, "little"))
    assert not verify.is_signed(public[:31], b"m", signature)
    assert not verify.is_signed(b"\xff" * 32, b"m", signature)


def test_a_machine_that_the_wheels_do_not_fit_is_told_so() -> None:
    packed = {"python": "3.11", "platform": "linux-x86_64"}
    verify.fitting(packed, "3.11", "linux-x86_64")
    with pytest.raises(verify.Refused, match=r"PYTHON=python3\.11"):
        verify.fitting(packed, "3.12", "linux-x86_64")
    with pytest.raises(verify.Refused, match="linux-aarch64"):
        verify.fitting(packed, "3.11", "linux-aarch64")


def test_the_agent_needs_nothing_of_the_server() -> None:
    names = {distribution.metadata["Name"].lower() for distribution in closure("peyvand-node")}
    assert {"nodekit", "peyvand-contracts", "cryptography", "cffi", "nats-py"} <= names
    assert not names & {"servicekit", "sqlalchemy", "grpcio", "asyncpg", "peyvandctl"}


def test_a_wheel_that_is_packed_again_holds_what_is_installed(tmp_path: Path) -> None:
    chosen = [metadata.distribution("typer"), metadata.distribution("cryptography")]
    make_wheels(chosen, tmp_path)
    for distribution in chosen:
        (path,) = tmp_path.glob(f"{distribution.metadata['Name']}-*.whl")
        with zipfile.ZipFile(path) as wheel:
            names = wheel.namelist()
            record = next(name for name in names if name.endswith(".dist-info/RECORD"))
            rows = list(csv.reader(io.StringIO(wheel.read(record).decode())))
            assert {row[0] for row in rows} == set(names)
            for name, digest, size in rows:
                if name == record:
                    continue
                content = wheel.read(name)
                hashed = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
                assert digest == f"sha256={hashed.rstrip(b'=').decode()}"
                assert len(content) == int(size)
        assert not [name for name in names if name.startswith("..") or name.endswith(".pyc")]
        assert not [name for name in names if name.endswith(("INSTALLER", "direct_url.json"))]
        # Of this platform's own, the name of the file says so.
        is_pure = "Root-Is-Purelib: true" in (distribution.read_text("WHEEL") or "")
        assert path.name.endswith("-any.whl") is is_pure


def test_the_same_files_give_the_same_wheel(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make_wheels([metadata.distribution("typer")], tmp_path / name)
    (one,), (two,) = ((tmp_path / name).iterdir() for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_a_file_that_was_changed_since_it_was_installed_is_not_passed_on(tmp_path: Path) -> None:
    site = tmp_path / "site"
    info = site / "thing-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "thing.py").write_text("x = 1\n")
    digest = base64.urlsafe_b64encode(hashlib.sha256(b"x = 1\n").digest()).rstrip(b"=").decode()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n")
    (info / "RECORD").write_text(
        f"thing.py,sha256={digest},6\nthing-1.0.dist-info/METADATA,,\n"
        "thing-1.0.dist-info/WHEEL,,\nthing-1.0.dist-info/RECORD,,\n"
    )
    make_wheels([metadata.PathDistribution(info)], tmp_path)
    assert (tmp_path / "thing-1.0-py3-none-any.whl").exists()
    (site / "thing.py").write_text("x = 2\n")
    with pytest.raises(ClusterError, match="was changed since it was installed"):
        make_wheels([metadata.PathDistribution(info)], tmp_path)


def test_a_hub_signs_all_its_bundles_with_one_key_of_its_own(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with pytest.raises(ClusterError, match="no network"):
        BundleKey.of(home)
    home.prepare()
    home.state.write_text("{}")
    key = BundleKey.of(home)
    assert BundleKey.of(home).fingerprint == key.fingerprint
    assert key.fingerprint == verify.fingerprint_of(key.public)
    assert verify.is_signed(key.public, b"m", key.sign(b"m"))
    assert (home.root / "bundle-key.pem").stat().st_mode & 0o077 == 0
