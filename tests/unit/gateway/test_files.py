"""Files over HTTP: what is taken, what is refused, and what is given to whom."""

import base64
import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from peyvand.projects.v1 import evidence_pb2 as pb
from servicekit.errors import Fault
from servicekit.ids import new_id
from servicekit.object_store import ObjectStore
from tests.support.gateway import FakeClients

LIMIT = 3_000_000
CONTENT = b"%PDF-1.7\n" + bytes(range(256)) * 5000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ID = new_id("evd")


def signed_in(role: str = "center_operator", **headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {role}", "Content-Type": "application/pdf", **headers}


def digest_of(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(content).digest()).decode()}:"


@pytest.fixture
async def http(
    make_app: Callable[..., FastAPI], tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    app = make_app(objects_url=(tmp_path / "objects").as_uri(), objects_limit=LIMIT)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as client:
        yield client


def evidence(**file: Any) -> pb.Evidence:
    given: dict[str, Any] = {
        "name": "گزارش سم‌شناسی؛ نسخهٔ ۲.pdf",
        "media_type": "application/pdf",
        "size_bytes": len(CONTENT),
        "sha256": SHA256,
    }
    return pb.Evidence(id=ID, file=pb.EvidenceFile(**(given | file)))


async def test_a_file_is_kept_and_given_to_who_sees_its_evidence(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    kept = await http.post("/v1/files", content=CONTENT, headers=signed_in())
    assert kept.status_code == 201
    assert kept.json() == {
        "sha256": SHA256,
        "size_bytes": str(len(CONTENT)),
        "media_type": "application/pdf",
    }
    clients.answers["GetEvidence"] = evidence()
    given = await http.get(f"/v1/evidence/{ID}/file", headers=signed_in("center_admin:leila"))
    assert given.status_code == 200
    assert given.content == CONTENT
    assert given.headers["content-type"] == "application/pdf"
    assert given.headers["content-length"] == str(len(CONTENT))
    assert given.headers["x-content-type-options"] == "nosniff"
    assert given.headers["repr-digest"] == digest_of(CONTENT)
    disposition = given.headers["content-disposition"]
    assert disposition.startswith("attachment; filename*=UTF-8''%DA%AF")
    assert disposition.isascii()
    # The projects service was asked as this caller.
    _, request, context = clients.calls[-1]
    assert request == pb.GetEvidenceRequest(evidence_id=ID)
    assert context.token == "center_admin:leila"


async def test_the_same_file_again_is_the_same_file(http: httpx.AsyncClient) -> None:
    first, second = [
        await http.post("/v1/files", content=CONTENT, headers=signed_in()) for _ in range(2)
    ]
    assert first.json() == second.json()


@pytest.mark.parametrize(
    ("digest", "status", "reason"),
    [
        (digest_of(CONTENT), 201, None),
        (f"md5=:AAAA:, {digest_of(CONTENT)}", 201, None),
        ("md5=:AAAA:", 201, None),
        (digest_of(b"something else"), 422, "DIGEST_DIFFERS"),
        ("sha-256=:AAAA:", 422, "INVALID_ARGUMENT"),
        (f"sha-256={SHA256}", 422, "INVALID_ARGUMENT"),
    ],
)
async def test_what_arrives_is_compared_with_what_was_sent(
    http: httpx.AsyncClient, tmp_path: Path, digest: str, status: int, reason: str | None
) -> None:
    headers = signed_in(**{"Repr-Digest": digest})
    answer = await http.post("/v1/files", content=CONTENT, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json().get("reason") == reason
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    # The file, and who has sent it.
    assert len(kept) == 2 * (status == 201)


async def test_who_sent_a_file_is_kept_beside_it(http: httpx.AsyncClient, tmp_path: Path) -> None:
    for who in ("center_operator:leila", "center_admin:omid"):
        sent = await http.post("/v1/files", content=CONTENT, headers=signed_in(who))
        assert sent.status_code == 201
    objects = ObjectStore.in_folder(tmp_path / "objects")
    senders = {who: await objects.was_sent_by(SHA256, who) for who in ("leila", "omid", "sara", "")}
    assert senders == {"leila": True, "omid": True, "sara": False, "": False}


async def test_a_file_that_is_too_large_is_refused_and_not_kept(
    http: httpx.AsyncClient, tmp_path: Path
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 1_000_000

    for content in (b"x" * (LIMIT + 1), pieces()):
        answer = await http.post("/v1/files", content=content, headers=signed_in())
        assert answer.status_code == 413
        assert answer.json()["reason"] == "BODY_TOO_LARGE"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    largest = await http.post("/v1/files", content=b"x" * LIMIT, headers=signed_in())
    assert largest.status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "pdf"},
        {"Content-Type": "application/" + "x" * 200},
        {"Content-Encoding": "gzip"},
    ],
)
async def test_a_file_comes_as_it_is(http: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await http.post("/v1/files", content=CONTENT, headers=signed_in(**headers))
    assert (answer.status_code, answer.json()["reason"]) == (415, "UNSUPPORTED_MEDIA_TYPE")


async def test_an_empty_file_is_none(http: httpx.AsyncClient) -> None:
    answer = await http.post("/v1/files", content=b"", headers=signed_in())
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["rule"] == "REQUIRED"


@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 401), ("partner", 403), ("hq_analyst", 403), ("hq_admin", 201), ("center_admin", 201)],
)
async def test_files_are_taken_of_those_who_bring_evidence(
    http: httpx.AsyncClient, role: str | None, status: int
) -> None:
    headers = signed_in(role) if role else {"Content-Type": "application/pdf"}
    answer = await http.post("/v1/files", content=CONTENT, headers=headers)
    assert answer.status_code == status


async def test_who_does_not_see_the_evidence_is_told_that_there_is_none(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    await http.post("/v1/files", content=CONTENT, headers=signed_in())
    clients.answers["GetEvidence"] = Fault.not_found("evidence", ID)
    answer = await http.get(f"/v1/evidence/{ID}/file", headers=signed_in())
    assert (answer.status_code, answer.json()["reason"]) == (404, "NOT_FOUND")
    assert (await http.get(f"/v1/evidence/{ID}/file")).status_code == 401
    wrong = await http.get(f"/v1/evidence/{new_id('prj')}/file", headers=signed_in())
    assert wrong.json()["errors"][0]["rule"] == "WRONG_ID_KIND"
    unknown = await http.get(f"/v1/evidence/{ID}/file?as=text", headers=signed_in())
    assert unknown.json()["errors"][0] == {
        "parameter": "as",
        "rule": "UNKNOWN_FIELD",
        "detail": "This request has no such field.",
    }


async def test_evidence_that_others_keep_has_no_file(
    http: httpx.AsyncClient, clients: FakeClients
) -> None:
    reference = pb.EvidenceReference(uri="https://doi.org/10.1038/nature12373", sha256=SHA256)
    clients.answers["GetEvidence"] = pb.Evidence(id=ID, reference=reference)
    answer = await http.get(f"/v1/evidence/{ID}/file", headers=signed_in())
    assert answer.json()["reason"] == "EVIDENCE_HAS_NO_FILE"
    assert "nature12373" in answer.json()["detail"]


async def test_a_damaged_or_lost_file_is_a_fault_of_ours(
    http: httpx.AsyncClient, clients: FakeClients, tmp_path: Path
) -> None:
    small = b"%PDF-1.7 small"
    kept = await http.post("/v1/files", content=small, headers=signed_in())
    sha256 = kept.json()["sha256"]
    clients.answers["GetEvidence"] = evidence(sha256=sha256, size_bytes=len(small))
    (path,) = tmp_path.rglob(sha256)
    path.write_bytes(b"%PDF-1.7 smalL")
    damaged = await http.get(f"/v1/evidence/{ID}/file", headers=signed_in())
    assert (damaged.status_code, damaged.json()["reason"]) == (500, "INTERNAL")
    path.unlink()
    lost = await http.get(f"/v1/evidence/{ID}/file", headers=signed_in())
    assert (lost.status_code, lost.json()["reason"]) == (500, "INTERNAL")


async def test_without_a_store_files_are_not_taken(
    make_app: Callable[..., FastAPI], clients: FakeClients
) -> None:
    clients.answers["GetEvidence"] = evidence()
    transport = httpx.ASGITransport(make_app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway.test") as http:
        taken = await http.post("/v1/files", content=CONTENT, headers=signed_in())
        given = await http.get(f"/v1/evidence/{ID}/file", headers=signed_in())
    for answer in (taken, given):
        assert (answer.status_code, answer.json()["reason"]) == (503, "FILES_NOT_SET_UP")
