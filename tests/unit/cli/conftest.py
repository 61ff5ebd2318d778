"""A gateway that is only pretended, and commands as a person types them against it."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from peyvandctl import client
from peyvandctl.cli import app

Json = dict[str, Any]
runner = CliRunner()

CENTER = {
    "id": "ctr_1",
    "code": "TBZ",
    "names": {"fa": "مرکز تبریز", "en": "Tabriz center"},
    "province": "IR-03",
    "state": "operational",
    "sample": False,
}


class Gateway:
    """Answers by method and path; keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: dict[str, list[httpx.Response]] = {}
        self.asked: list[httpx.Request] = []

    def says(self, method_and_path: str, *documents: Json, status: int = 200) -> None:
        answers = [httpx.Response(status, json=document) for document in documents]
        self.answers.setdefault(method_and_path, []).extend(answers)

    def gives(self, method_and_path: str, content: bytes) -> None:
        self.answers.setdefault(method_and_path, []).append(httpx.Response(200, content=content))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        known = self.answers[f"{request.method} {request.url.path}"]
        return known.pop(0) if len(known) > 1 else known[0]


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setenv("PEYVAND_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PEYVAND_URL", "http://net.test")
    monkeypatch.setenv("PEYVAND_TOKEN", "t")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.delenv("PEYVAND_LANG", raising=False)
    fake = Gateway()
    real: Any = httpx.Client

    def pretended(**options: Any) -> httpx.Client:
        return real(**options | {"transport": httpx.MockTransport(fake)})

    monkeypatch.setattr(client.httpx, "Client", pretended)
    return fake


def run(*arguments: str, code: int = 0) -> str:
    result = runner.invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.output
