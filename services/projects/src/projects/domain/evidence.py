"""Evidence for a criterion: who brought it, and for which visits another found that it holds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from domainkit.aggregate import Occasion, Stateful
from domainkit.machine import Machine
from domainkit.rules import Broken, Refused
from domainkit.values import LocalizedText, check_name
from projects.domain.pathways import Stage
from projects.domain.visits import Visited

_SHA256 = re.compile(r"[0-9a-f]{64}")


class EvidenceKind(StrEnum):
    """What sort of document or record the evidence is."""

    REPORT = "report"
    DATA_SET = "data_set"
    PROTOCOL = "protocol"
    CERTIFICATE = "certificate"
    APPROVAL = "approval"
    CONTRACT = "contract"
    PUBLICATION = "publication"
    REGISTRATION = "registration"
    OTHER = "other"


class EvidenceState(StrEnum):
    """Where a piece of evidence is in its life."""

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    REJECTED = "rejected"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class StoredFile:
    """A file that the object store has under its SHA-256, in lower-case hexadecimal."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Reference:
    """Where the evidence is kept by others, and the SHA-256 of what was found there."""

    uri: str
    sha256: str


@dataclass(frozen=True)
class Confirmation:
    """Someone has found that the evidence holds for a visit, the first time or again."""

    visit: int
    confirmed_by: str
    confirmed_at: datetime


@dataclass(frozen=True)
class Version:
    """What was found of one version of a piece of evidence, whatever became of it then."""

    state: EvidenceState
    was_verified: bool
    was_rejected: bool


def as_judged(versions: Sequence[Version]) -> EvidenceState:
    """What was found last of a piece of evidence; its newest version is the last.

    A newer version that waits to be judged takes nothing from what was found before it.
    """
    for version in reversed(versions):
        if version.was_rejected:
            return EvidenceState.REJECTED
        if version.was_verified:
            return EvidenceState.VERIFIED
    return versions[-1].state


@dataclass(frozen=True)
class EvidenceFound:
    """How it stands with a piece that newer versions may have superseded.

    `newest` is the state of the newest version, `judged` is as `as_judged` has it.
    """

    newest: EvidenceState
    judged: EvidenceState


@dataclass(kw_only=True)
class Evidence(Stateful):
    """A piece of evidence for one criterion of a project. It is never changed or deleted.

    `visit` is the stage visit in which it was made, `confirmations` are those for which
    another than who submitted it has found that it holds, `rejected_visit` is the last for
    which it was found not to hold, 0 without one.
    """

    MACHINE: ClassVar[Machine[EvidenceState]] = Machine(
        {
            "verify": ([EvidenceState.SUBMITTED], EvidenceState.VERIFIED),
            "reconfirm": ([EvidenceState.VERIFIED], EvidenceState.VERIFIED),
            "reject": ([EvidenceState.SUBMITTED, EvidenceState.VERIFIED], EvidenceState.REJECTED),
            "supersede": (
                [EvidenceState.SUBMITTED, EvidenceState.VERIFIED, EvidenceState.REJECTED],
                EvidenceState.SUPERSEDED,
            ),
        }
    )
    EVENTS: ClassVar[Mapping[str, str]] = {
        "verify": "verified",
        "reconfirm": "reconfirmed",
        "reject": "rejected",
        "supersede": "superseded",
    }
    REASONED: ClassVar[frozenset[str]] = frozenset({"reject"})
    # Given when it is submitted, and fixed from then on.
    FIXED: ClassVar[frozenset[str]] = frozenset(
        {
            "external_key",
            "project_id",
            "criterion",
            "kind",
            "title",
            "description",
            "file",
            "reference",
            "supersedes_id",
            "resubmission_reason",
            "citations",
            "sample",
        }
    )

    project_id: str
    criterion: str
    stage: Stage
    visit: int
    kind: EvidenceKind
    title: LocalizedText | None
    description: str = ""
    file: StoredFile | None = None
    reference: Reference | None = None
    submitted_by: str
    confirmations: list[Confirmation] = field(default_factory=list[Confirmation])
    supersedes_id: str | None = None
    superseded_by_id: str = ""
    resubmission_reason: str = ""
    rejected_visit: int = 0
    state: EvidenceState = EvidenceState.SUBMITTED

    @property
    def sha256(self) -> str:
        """The SHA-256 of what the evidence is, in hexadecimal."""
        source = self.file or self.reference
        return source.sha256 if source else ""

    @property
    def confirmed_visit(self) -> int:
        """The last visit for which it was found to hold; 0 before the first."""
        return max((c.visit for c in self.confirmations), default=0)

    def rules(self, today: date) -> list[Broken]:
        """Rules that the values break as they are."""
        del today
        broken = check_name(self.title, "title")
        if bool(self.file) == bool(self.reference):
            broken.append(Broken("file", "ONE_SOURCE_NEEDED", {"fields": "file, reference"}))
        if self.resubmission_reason.strip() and not self.supersedes_id:
            broken.append(Broken("supersedes_id", "REQUIRED"))
        if self.file and not self.file.name.strip():
            broken.append(Broken("file.name", "REQUIRED"))
        for path, source in (("file", self.file), ("reference", self.reference)):
            if source and not _SHA256.fullmatch(source.sha256):
                expected = {"expected": "64 hexadecimal digits"}
                broken.append(Broken(f"{path}.sha256", "WRONG_FORMAT", expected))
        return broken

    def verify(self, visited: Visited, occasion: Occasion) -> None:
        """Find that it holds, for the present or last visit to its stage.

        Raises `Refused` ``OWN_EVIDENCE`` for who submitted it, or `IllegalStep`.
        """
        self.target_of("verify")
        self._require_another(occasion)
        self._confirm(visited.last_visit(self.stage), occasion)
        self.take("verify", occasion)

    def reconfirm(self, visited: Visited, occasion: Occasion) -> None:
        """Find that it still holds, now that the project has come back to its stage.

        That is a verification anew, so that it too takes another than who submitted it.
        Raises besides as `verify` does `Refused` ``CONFIRMED_ALREADY`` for this visit.
        """
        self.target_of("reconfirm")
        self._require_another(occasion)
        visit = visited.last_visit(self.stage)
        if self.confirmed_visit >= visit:
            raise Refused("CONFIRMED_ALREADY", visit=str(visit))
        self._confirm(visit, occasion)
        self.take("reconfirm", occasion)

    def reject(self, visited: Visited, occasion: Occasion) -> None:
        """Find that it does not hold, for the present or last visit to its stage.

        Raises as `take` does.
        """
        self.take("reject", occasion)
        self.rejected_visit = visited.last_visit(self.stage)

    def require_not_rejected(self, rejected_id: str | None) -> None:
        """Raise `Refused` ``REJECTED_BEFORE`` if it cannot count past a rejection.

        `rejected_id` is another piece with the same bytes, for the same criterion, that was
        rejected in the present or last visit to the stage. It takes a piece that stands for
        another, and says why, to go against that.
        """
        if rejected_id and not (self.supersedes_id and self.resubmission_reason.strip()):
            raise Refused("REJECTED_BEFORE", id=rejected_id)

    def supersede(self, by_id: str, occasion: Occasion, open_gate_id: str = "") -> None:
        """Give way to another piece of evidence; the record stays.

        What is verified does not while `open_gate_id` is open: votes stand on it, and whoever
        brings evidence could void them at will. Raises `Refused` ``UNDER_REVIEW``, or
        `IllegalStep`.
        """
        if open_gate_id and self.state == EvidenceState.VERIFIED:
            raise Refused("UNDER_REVIEW", gate_id=open_gate_id)
        self.superseded_by_id = by_id
        self.take("supersede", occasion)

    def steps_of(
        self,
        subject: str,
        visited: Visited,
        rejected_id: str | None = None,
        *,
        under_way: bool = True,
    ) -> list[str]:
        """Steps that the states of it and of its project allow to this person.

        `rejected_id` is as for `require_not_rejected`; of a project that is not `under_way`
        any more no step is possible.
        """
        steps = self.allowed_steps() if under_way else []
        argued = self.supersedes_id and self.resubmission_reason.strip()
        if subject == self.submitted_by or (rejected_id and not argued):
            steps = [step for step in steps if step not in ("verify", "reconfirm")]
        if self.confirmed_visit >= visited.last_visit(self.stage):
            steps = [step for step in steps if step != "reconfirm"]
        return steps

    def _require_another(self, occasion: Occasion) -> None:
        if occasion.actor == self.submitted_by:
            raise Refused("OWN_EVIDENCE")

    def _confirm(self, visit: int, occasion: Occasion) -> None:
        confirmation = Confirmation(visit, occasion.actor, occasion.at)
        self.confirmations = [*self.confirmations, confirmation]
