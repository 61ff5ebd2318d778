"""Checks a dossier with nothing but JSON and SHA-256, as docs/dossier.md says.

What is looked at: every part against its digest in the manifest, the manifest against its
own, the chain of decisions, what the parts say of each other, and the files of evidence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

Json = dict[str, Any]

FORMAT = "peyvand-dossier-1"
_CHUNK = 1024 * 1024
# Zero and false are equal.
_SAYS_NOTHING: tuple[Any, ...] = (None, "", False, [], {})


@dataclass(frozen=True)
class Finding:
    """Something that is not as the dossier says; `where` names the place in it."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def read(text: bytes | str) -> Any:
    """Read JSON in which no name stands twice in an object: readers would differ on it.

    Raises `ValueError`.
    """
    return json.loads(text, object_pairs_hook=_members)


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value (RFC 8785), in lower-case hexadecimal."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def check(dossier: Any) -> list[Finding]:
    """What is wrong with a dossier; nothing if it is as it was made."""
    if not isinstance(dossier, dict) or not isinstance(dossier.get("manifest"), dict):
        return [Finding("", "this is no dossier: it has no manifest")]
    document = cast("Json", dossier)
    try:
        if found := list(_check_manifest(document)):
            # What it says of the parts is worth nothing.
            return found
        found += _check_parts(document)
        found += _check_chain(document)
        found += _check_links(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return [Finding("", f"it is not built as a dossier is: {error!r}")]
    return found


def check_files(dossier: Json, folder: Path) -> list[Finding]:
    """What is wrong with the files of evidence that stand anywhere below a folder."""
    there = {file: _file_digest(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    digests = set(there.values())
    by_name = {file.name: sha256 for file, sha256 in there.items()}
    found: list[Finding] = []
    for item in dossier["evidence"]:
        evidence = item["evidence"]
        file = evidence["file"]
        if file is None or file["sha256"] in digests:
            continue
        where = f"evidence {evidence['id']}"
        if file["name"] in by_name:
            found.append(Finding(where, f"{file['name']} has another SHA-256: it was changed"))
        else:
            found.append(Finding(where, f"{file['name']} is not in the folder"))
    return found


def check_decision(dossier: Json, expected: str) -> list[Finding]:
    """What is wrong if one of the decisions should have this digest, written down at its gate.

    The chain vouches for all decisions up to that one.
    """
    if expected in {_link_to(decision) for decision in dossier["decisions"]}:
        return []
    return [Finding("decisions", f"none of them has the digest {expected}")]


def _members(pairs: list[tuple[str, Any]]) -> Json:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return members


def _check_manifest(dossier: Json) -> Iterator[Finding]:
    manifest = cast("Json", dossier["manifest"])
    if manifest.get("format") != FORMAT:
        yield Finding("manifest.format", f"it is not {FORMAT}")
    own = {name: value for name, value in manifest.items() if name != "sha256"}
    if manifest.get("sha256") != digest(own):
        yield Finding("manifest", "it does not have the SHA-256 that it says")


def _check_parts(dossier: Json) -> Iterator[Finding]:
    manifest = dossier["manifest"]
    withheld = manifest["withheld"]
    parts = {part["name"]: part for part in manifest["parts"]}
    members = set(dossier) - {"manifest"}
    for name in sorted(members - set(parts) - set(withheld)):
        yield Finding(name, "the manifest does not name it")
    for name in sorted(set(withheld) & members):
        if dossier[name] not in (None, [], {}):
            yield Finding(name, "it is there although it was withheld")
    for name, part in sorted(parts.items()):
        if name not in members:
            yield Finding(name, "it is missing")
            continue
        value = dossier[name]
        if digest(value) != part["sha256"]:
            yield Finding(name, "it does not have the SHA-256 that the manifest says")
        count = len(cast("list[Any]", value)) if isinstance(value, list) else 1
        if count != part["count"]:
            yield Finding(name, f"it has {count} items, not {part['count']}")


def _check_chain(dossier: Json) -> Iterator[Finding]:
    """Every decision carries its own digest, and that of the one before."""
    previous: Json | None = None
    for decision in dossier["decisions"]:
        where = f"decision {decision['id']}"
        if decision["record_hash"]:
            if decision["record_hash"] != _record_hash(decision):
                yield Finding(where, "it was changed: it does not have the digest that it carries")
            if (decision["previous_hash"] or "") != (_link_to(previous) if previous else ""):
                yield Finding(where, "it does not follow the decision before it")
        elif previous is not None and previous["record_hash"]:
            yield Finding(where, "it carries no digest, although the one before it does")
        previous = decision
    head = _link_to(previous) if previous else ""
    if (dossier["manifest"]["chain_head"] or "") != head:
        yield Finding("manifest.chain_head", "it is not the digest of the last decision")


def _check_links(dossier: Json) -> Iterator[Finding]:
    """What the parts say of each other, which holds also if every digest was made anew."""
    project, manifest = dossier["project"], dossier["manifest"]
    ids = [decision["id"] for decision in dossier["decisions"]]
    if manifest["project_id"] != project["id"]:
        yield Finding("manifest.project_id", "it is not the project of the dossier")
    if (project["latest_decision_id"] or None) != (ids[-1] if ids else None):
        yield Finding("project.latest_decision_id", "it is not the last of the decisions")
    yield from _check_stages(dossier)
    yield from _check_gates(dossier)
    for where, item in _owned(dossier):
        if item["project_id"] != project["id"]:
            yield Finding(where, "it is of another project")
    if "evidence" in manifest["withheld"]:
        return
    hashes = {item["evidence"]["id"]: _evidence_hash(item) for item in dossier["evidence"]}
    for decision in dossier["decisions"]:
        for criterion in decision["criteria"]:
            named = {hashes.get(id) for id in criterion["evidence_ids"]}
            if named != set(criterion["evidence_hashes"]):
                where = f"decision {decision['id']}, criterion {criterion['code']}"
                yield Finding(where, "the evidence is not that which it was decided on")


def _check_stages(dossier: Json) -> Iterator[Finding]:
    """The stages are those to which the decisions have led, corrected ones left aside."""
    project, decisions = dossier["project"], dossier["decisions"]
    visits = project["stage_visits"]
    known = {decision["id"]: decision for decision in decisions}
    for number, visit in enumerate(visits, start=1):
        id = visit["decision_id"]
        if id and id not in known:
            yield Finding(f"decision {id}", "it is missing")
        elif id and visit["stage"] != known[id]["to_stage"]:
            yield Finding(f"project.stage_visits, {number}", f"decision {id} leads elsewhere")
    if visits and project["stage"] != visits[-1]["stage"]:
        yield Finding("project.stage", "it is not that of the last visit")
    if decisions and project["stage"] != decisions[-1]["to_stage"]:
        yield Finding("project.stage", "it is not that to which the last decision leads")
    visited = {visit["decision_id"] for visit in visits}
    corrected = {decision["supersedes_id"] for decision in decisions}
    for decision in decisions:
        moved = decision["from_stage"] != decision["to_stage"]
        if moved and decision["id"] not in visited | corrected:
            yield Finding(f"decision {decision['id']}", "no visit begins with it")


def _check_gates(dossier: Json) -> Iterator[Finding]:
    """A gate and the decision that has ended it name each other.

    A decision from before there were digests names no gate.
    """
    decisions = {decision["id"]: decision for decision in dossier["decisions"]}
    early = {id for id, one in decisions.items() if not (one["gate_id"] or one["record_hash"])}
    gates = {item["gate"]["id"]: item["gate"] for item in dossier["gates"]}
    for id, gate in gates.items():
        decision = decisions.get(gate["decision_id"])
        if not gate["decision_id"] or gate["decision_id"] in early:
            continue
        if decision is None or decision["gate_id"] != id:
            yield Finding(f"gate {id}", f"it did not end with decision {gate['decision_id']}")
    for id, decision in decisions.items():
        gate = gates.get(decision["gate_id"])
        if gate is not None and gate["decision_id"] != id:
            yield Finding(f"decision {id}", f"it was not made at gate {decision['gate_id']}")


def _owned(dossier: Json) -> Iterable[tuple[str, Json]]:
    kept = {
        "gates": "gate",
        "evidence": "evidence",
        "waivers": "waiver",
        "conditions": "condition",
        "readiness_claims": "readiness_claim",
        "outputs": "output",
        "awards": "award",
    }
    for decision in dossier["decisions"]:
        yield f"decision {decision['id']}", decision
    for member, kind in kept.items():
        for item in dossier[member]:
            yield f"{kind} {item[kind]['id']}", item[kind]


def _evidence_hash(item: Mapping[str, Any]) -> str:
    evidence = item["evidence"]
    return str((evidence["file"] or evidence["reference"])["sha256"])


def _link_to(decision: Json) -> str:
    return str(decision["record_hash"] or _record_hash(decision))


def _record_hash(decision: Json) -> str:
    return digest(_telling({k: v for k, v in decision.items() if k != "record_hash"}))


def _telling(value: Any) -> Any:
    """A value without members that say nothing."""
    if isinstance(value, dict):
        members = ((k, _telling(v)) for k, v in cast("Json", value).items())
        return {k: v for k, v in members if v not in _SAYS_NOTHING}
    if isinstance(value, list):
        return [_telling(item) for item in cast("list[Any]", value)]
    return value


def _file_digest(file: Path) -> str:
    found = hashlib.sha256()
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            found.update(piece)
    return found.hexdigest()
