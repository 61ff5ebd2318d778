"""What the documents are."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, cast

import kubernetes_validate
from jsonschema import Draft202012Validator

from tests.contract.deploy.rules.common import Complaints, name_of
from tests.support.manifests import (
    Manifest,
    Manifests,
)

KUBERNETES = "1.37.0"
CRDS = Path(__file__).parents[1] / "crds"


def is_valid(manifests: Manifests) -> Complaints:
    """Every document is one that its API takes, with no field that it does not know."""
    for document in manifests.documents:
        name = name_of(document)
        schema = _schema(document["apiVersion"], document["kind"])
        if schema is not None:
            for error in Draft202012Validator(schema).iter_errors(document):
                yield f"{name}: {error.json_path}: {error.message}"
            continue
        try:
            kubernetes_validate.validate(document, KUBERNETES, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{name}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError:
            yield f"{name}: nobody knows what it should look like"


def stands_in_the_namespace(manifests: Manifests) -> Complaints:
    """Nothing is left outside of the namespace, whose rules hold for what is in it."""
    for document in manifests.documents:
        if document["kind"] != "Namespace" and document["metadata"].get("namespace") != "peyvand":
            yield f"{name_of(document)} is in no namespace, or in another"


def names_its_images(manifests: Manifests) -> Complaints:
    """An image has a version, and no host: where images lie is for each installation to say."""
    for workload in manifests.workloads("Deployment", "StatefulSet", "Job"):
        for container in workload.containers:
            image = container["image"]
            host, _, tag = image.rpartition(":")
            if not re.match(r"\d+\.\d+\.\d+", tag) or "." in host or ":" in host:
                yield f"{workload.name}: the image {image}"


@cache
def _schema(api_version: str, kind: str) -> Manifest | None:
    """Schema of a kind that is not Kubernetes' own, closed to fields it does not name."""
    path = CRDS / f"{api_version.replace('/', '_')}_{kind}.json"
    if not path.exists():
        return None
    return _closed(json.loads(path.read_text(encoding="utf-8")), at_root=True)


def _closed(part: Any, *, at_root: bool = False) -> Any:
    if isinstance(part, list):
        return [_closed(entry) for entry in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    schema = cast("Manifest", part)
    made = {
        key: (
            {name: _closed(each) for name, each in value.items()}
            if key == "properties"
            else _closed(value)
        )
        for key, value in schema.items()
        # An annotation in JSON Schema, and a name of a format that only Go knows.
        if key not in ("default", "format")
    }
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("anyOf", None)
        made["type"] = ["integer", "string"]
    open_to_all = schema.get("x-kubernetes-preserve-unknown-fields")
    if "properties" in schema and "additionalProperties" not in schema and not open_to_all:
        made["additionalProperties"] = False
    if at_root:
        # The API server checks these by a schema of its own.
        made["properties"] |= {"metadata": {"type": "object"}, "kind": {}, "apiVersion": {}}
    return made
