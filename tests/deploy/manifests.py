"""What `kubectl apply -k deploy/kubernetes/…` would apply, rendered where kubectl or kustomize is."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import yaml

import yaml_files
from tests.children import ROOT

FOLDER = ROOT / "deploy/kubernetes"
OVERLAYS = ("small", "large")
SCHEMAS = "kubernetes_validate", "kubernetes-json-schema/v1.33.0-local-strict"

Document = dict[str, Any]


@cache
def rendered(overlay: str) -> tuple[Document, ...]:
    """The overlay's documents; without kustomize, those of its files as they stand, unpatched."""
    command = next(([*words, str(FOLDER / overlay)] for words in (("kubectl", "kustomize"), ("kustomize", "build"))
                    if shutil.which(words[0])), None)  # fmt: skip
    if command is None:
        return (*resources(FOLDER / "base"), *resources(FOLDER / overlay))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def kustomization(overlay: str) -> Document:
    found: Document = yaml_files.read(FOLDER / overlay / "kustomization.yaml")
    return found


def resources(folder: Path) -> Iterator[Document]:
    """The documents of a kustomization's own resource files, and of its generators."""
    said = kustomization(folder.name)
    for name in said["resources"]:
        if name.endswith(".yaml"):
            yield from yaml.safe_load_all((folder / name).read_text())
    for generator in said["configMapGenerator"]:
        pairs = [line.split("=", 1) for line in (folder / generator["envs"][0]).read_text().split()]
        yield {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": dict(pairs)}


def of_kind(documents: tuple[Document, ...], *kinds: str) -> list[Document]:
    return [document for document in documents if document["kind"] in kinds]


def pod_of(document: Document) -> Document:
    """The pod that a Deployment, StatefulSet or CronJob makes."""
    spec = document["spec"]
    template: Document = spec["jobTemplate"]["spec"]["template"] if document["kind"] == "CronJob" else spec["template"]
    return template


def settings_of(documents: tuple[Document, ...]) -> dict[str, str]:
    """What all containers of ours get from the ConfigMap."""
    return {name: value for found in of_kind(documents, "ConfigMap") for name, value in found["data"].items()}


@dataclass(frozen=True)
class Container:
    """One of ours: `name` is its workload's, `image` the Dockerfile's target."""

    name: str
    image: str
    spec: Document
    pod: Document

    @property
    def secret_keys(self) -> dict[str, list[str] | None]:
        """Secret → its keys that are mounted (None: all), without the optional ones."""
        sources = [source["secret"] for volume in self.pod["spec"]["volumes"] if "projected" in volume
                   for source in volume["projected"]["sources"]]  # fmt: skip
        return {
            secret["name"]: [item["key"] for item in secret["items"]] if "items" in secret else None
            for secret in sources if not secret.get("optional")
        }  # fmt: skip


def containers(documents: tuple[Document, ...]) -> dict[str, Container]:
    """The containers of our images."""
    found = {}
    for document in of_kind(documents, "Deployment", "CronJob"):
        pod, name = pod_of(document), document["metadata"]["name"]
        [spec] = pod["spec"]["containers"]
        image = spec["image"].rpartition("/")[2].partition(":")[0].removeprefix("assistant-")
        found[name] = Container(name, image, spec, pod)
    return found


@cache
def _schemas() -> tuple[Path, jsonschema.RefResolver]:
    """The folder of Kubernetes' schemas, and what finds the definitions that they share."""
    spec = find_spec(SCHEMAS[0])
    assert spec is not None, "kubernetes-validate is not installed. Remedy: make setup."
    assert spec.origin is not None
    folder = Path(spec.origin).parent / SCHEMAS[1]
    shared = json.loads((folder / "_definitions.json").read_text())
    return folder, jsonschema.RefResolver(shared["$id"], shared, cache_remote=False)


def mistakes(document: Document) -> list[str]:
    """What Kubernetes' own schema (strict: no unknown fields) says against a document of a built-in kind."""
    folder, resolver = _schemas()
    group, _, version = document["apiVersion"].rpartition("/")
    parts = [document["kind"].lower(), *([group.split(".")[0]] if group else []), version]
    schema = json.loads((folder / f"{'-'.join(parts)}.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, resolver=resolver)
    return [f"{'/'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(document)]
