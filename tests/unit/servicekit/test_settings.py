"""What is wrong with the settings is told, and no secret with it."""

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
