import datetime

from google.api import annotations_pb2 as _annotations_pb2
from google.api import field_behavior_pb2 as _field_behavior_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from peyvand.api.v1 import annotations_pb2 as _annotations_pb2_1
from peyvand.api.v1 import types_pb2 as _types_pb2
from peyvand.projects.v1 import awards_pb2 as _awards_pb2
from peyvand.projects.v1 import conditions_pb2 as _conditions_pb2
from peyvand.projects.v1 import criteria_pb2 as _criteria_pb2
from peyvand.projects.v1 import decisions_pb2 as _decisions_pb2
from peyvand.projects.v1 import evidence_pb2 as _evidence_pb2
from peyvand.projects.v1 import gates_pb2 as _gates_pb2
from peyvand.projects.v1 import outputs_pb2 as _outputs_pb2
from peyvand.projects.v1 import projects_pb2 as _projects_pb2
from peyvand.projects.v1 import readiness_pb2 as _readiness_pb2
from peyvand.projects.v1 import waivers_pb2 as _waivers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DossierError(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DOSSIER_ERROR_UNSPECIFIED: _ClassVar[DossierError]
    DOSSIER_TOO_LARGE: _ClassVar[DossierError]
    DOSSIER_NOT_SET: _ClassVar[DossierError]
DOSSIER_ERROR_UNSPECIFIED: DossierError
DOSSIER_TOO_LARGE: DossierError
DOSSIER_NOT_SET: DossierError

class GetProjectDossierRequest(_message.Message):
    __slots__ = ("project_id",)
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    project_id: str
    def __init__(self, project_id: _Optional[str] = ...) -> None: ...

class DossierGate(_message.Message):
    __slots__ = ("gate", "steps")
    GATE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    gate: _gates_pb2.Gate
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, gate: _Optional[_Union[_gates_pb2.Gate, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierEvidence(_message.Message):
    __slots__ = ("evidence", "steps")
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    evidence: _evidence_pb2.Evidence
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, evidence: _Optional[_Union[_evidence_pb2.Evidence, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierWaiver(_message.Message):
    __slots__ = ("waiver", "steps")
    WAIVER_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    waiver: _waivers_pb2.Waiver
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, waiver: _Optional[_Union[_waivers_pb2.Waiver, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierCondition(_message.Message):
    __slots__ = ("condition", "steps")
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    condition: _conditions_pb2.ProjectCondition
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, condition: _Optional[_Union[_conditions_pb2.ProjectCondition, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierReadinessClaim(_message.Message):
    __slots__ = ("readiness_claim", "steps")
    READINESS_CLAIM_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    readiness_claim: _readiness_pb2.ReadinessClaim
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, readiness_claim: _Optional[_Union[_readiness_pb2.ReadinessClaim, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierOutput(_message.Message):
    __slots__ = ("output", "steps")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    output: _outputs_pb2.Output
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, output: _Optional[_Union[_outputs_pb2.Output, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierAward(_message.Message):
    __slots__ = ("award", "steps")
    AWARD_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    award: _awards_pb2.Award
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    def __init__(self, award: _Optional[_Union[_awards_pb2.Award, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ...) -> None: ...

class DossierName(_message.Message):
    __slots__ = ("id", "name")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: _types_pb2.LocalizedText
    def __init__(self, id: _Optional[str] = ..., name: _Optional[_Union[_types_pb2.LocalizedText, _Mapping]] = ...) -> None: ...

class DossierPart(_message.Message):
    __slots__ = ("name", "count", "sha256")
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    sha256: str
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., sha256: _Optional[str] = ...) -> None: ...

class DossierManifest(_message.Message):
    __slots__ = ("format", "project_id", "template_version", "as_of", "parts", "withheld", "chain_head", "sha256")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    PROJECT_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    CHAIN_HEAD_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    format: str
    project_id: str
    template_version: str
    as_of: _timestamp_pb2.Timestamp
    parts: _containers.RepeatedCompositeFieldContainer[DossierPart]
    withheld: _containers.RepeatedScalarFieldContainer[str]
    chain_head: str
    sha256: str
    def __init__(self, format: _Optional[str] = ..., project_id: _Optional[str] = ..., template_version: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., parts: _Optional[_Iterable[_Union[DossierPart, _Mapping]]] = ..., withheld: _Optional[_Iterable[str]] = ..., chain_head: _Optional[str] = ..., sha256: _Optional[str] = ...) -> None: ...

class ProjectDossier(_message.Message):
    __slots__ = ("manifest", "project", "steps", "decisions", "gates", "evidence", "waivers", "conditions", "readiness_claims", "readiness", "outputs", "awards", "criteria", "names")
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    DECISIONS_FIELD_NUMBER: _ClassVar[int]
    GATES_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    WAIVERS_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    READINESS_CLAIMS_FIELD_NUMBER: _ClassVar[int]
    READINESS_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    AWARDS_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_FIELD_NUMBER: _ClassVar[int]
    NAMES_FIELD_NUMBER: _ClassVar[int]
    manifest: DossierManifest
    project: _projects_pb2.Project
    steps: _containers.RepeatedCompositeFieldContainer[_types_pb2.Step]
    decisions: _containers.RepeatedCompositeFieldContainer[_decisions_pb2.Decision]
    gates: _containers.RepeatedCompositeFieldContainer[DossierGate]
    evidence: _containers.RepeatedCompositeFieldContainer[DossierEvidence]
    waivers: _containers.RepeatedCompositeFieldContainer[DossierWaiver]
    conditions: _containers.RepeatedCompositeFieldContainer[DossierCondition]
    readiness_claims: _containers.RepeatedCompositeFieldContainer[DossierReadinessClaim]
    readiness: _readiness_pb2.ProjectReadiness
    outputs: _containers.RepeatedCompositeFieldContainer[DossierOutput]
    awards: _containers.RepeatedCompositeFieldContainer[DossierAward]
    criteria: _containers.RepeatedCompositeFieldContainer[_criteria_pb2.Criterion]
    names: _containers.RepeatedCompositeFieldContainer[DossierName]
    def __init__(self, manifest: _Optional[_Union[DossierManifest, _Mapping]] = ..., project: _Optional[_Union[_projects_pb2.Project, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_types_pb2.Step, _Mapping]]] = ..., decisions: _Optional[_Iterable[_Union[_decisions_pb2.Decision, _Mapping]]] = ..., gates: _Optional[_Iterable[_Union[DossierGate, _Mapping]]] = ..., evidence: _Optional[_Iterable[_Union[DossierEvidence, _Mapping]]] = ..., waivers: _Optional[_Iterable[_Union[DossierWaiver, _Mapping]]] = ..., conditions: _Optional[_Iterable[_Union[DossierCondition, _Mapping]]] = ..., readiness_claims: _Optional[_Iterable[_Union[DossierReadinessClaim, _Mapping]]] = ..., readiness: _Optional[_Union[_readiness_pb2.ProjectReadiness, _Mapping]] = ..., outputs: _Optional[_Iterable[_Union[DossierOutput, _Mapping]]] = ..., awards: _Optional[_Iterable[_Union[DossierAward, _Mapping]]] = ..., criteria: _Optional[_Iterable[_Union[_criteria_pb2.Criterion, _Mapping]]] = ..., names: _Optional[_Iterable[_Union[DossierName, _Mapping]]] = ...) -> None: ...
