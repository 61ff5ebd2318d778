"""What is wrong with the settings is told, and no secret with it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from servicekit.settings import DatabaseSettings


def test_a_missing_setting_is_named_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEYVAND_DATABASE_URL", raising=False)
    monkeypatch.setenv("PEYVAND_NATS_URL", "nats://peyvand:kept-in-confidence@127.0.0.1:4222")
    with pytest.raises(ValidationError) as caught:
        DatabaseSettings.from_environment()
    assert "database_url" in str(caught.value)
    assert "confidence" not in str(caught.value)


def test_a_secret_may_stand_in_a_file_and_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PEYVAND_DATABASE_URL", raising=False)
    monkeypatch.setenv("PEYVAND_SECRETS", str(tmp_path))
    url = "postgresql+asyncpg://centers:kept@postgres/centers"
    (tmp_path / "PEYVAND_DATABASE_URL").write_text(f"{url}\n")
    assert DatabaseSettings.from_environment().database_url == url
    monkeypatch.setenv("PEYVAND_DATABASE_URL", "postgresql+asyncpg://elsewhere/centers")
    assert "elsewhere" in DatabaseSettings.from_environment().database_url


def test_without_a_folder_of_secrets_no_file_is_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("PEYVAND_DATABASE_URL", raising=False)
    monkeypatch.delenv("PEYVAND_SECRETS", raising=False)
    (tmp_path / "PEYVAND_DATABASE_URL").write_text("postgresql+asyncpg://here/centers")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValidationError):
        DatabaseSettings.from_environment()
