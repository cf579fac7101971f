"""deploy/kubernetes holds what Kubernetes accepts, what our images are, and what an operator may rely on."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml

import settings
import yaml_files
from connectors.message_bus import partitions
from tests.deploy import images, manifests
from tests.deploy.manifests import FOLDER, OVERLAYS, Container, Document, containers, of_kind, rendered
from worker import __main__ as worker_main

VARIABLES = {variable.name for variable in settings.VARIABLES}
SECRETS = {variable.name for variable in settings.VARIABLES if variable.secret}


def ours(overlay: str) -> list[Container]:
    return list(containers(rendered(overlay)).values())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_own_schemas_accept_every_document(overlay: str) -> None:
    documents = rendered(overlay)
    kinds = {document["kind"] for document in documents}
    assert {"Deployment", "CronJob", "PodDisruptionBudget", "NetworkPolicy", "Ingress"} <= kinds
    for document in documents:
        if not document["apiVersion"].startswith("keda.sh"):
            assert manifests.mistakes(document) == [], document["metadata"]["name"]


def test_a_misspelt_or_missing_field_is_found() -> None:
    [server] = [found for found in of_kind(rendered("small"), "Deployment") if found["metadata"]["name"] == "server"]
    wrong = copy.deepcopy(server)
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    del wrong["spec"]["selector"]
    assert len(manifests.mistakes(wrong)) == 2


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_patch_changes_something_that_there_is(overlay: str) -> None:
    said = manifests.kustomization(overlay)
    base = [(found["kind"], found["metadata"]["name"]) for found in manifests.resources(FOLDER / "base")]
    for patch in said["patches"]:
        targets = [patch["target"]] if "target" in patch else [
            {"kind": document["kind"], "name": document["metadata"]["name"]}
            for document in yaml.safe_load_all((FOLDER / overlay / patch["path"]).read_text())
        ]  # fmt: skip
        for target in targets:
            assert any(kind == target["kind"] and re.fullmatch(target.get("name", ".*"), name) for kind, name in base)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_run_as_nobody_special_on_a_file_system_that_they_cannot_write(overlay: str) -> None:
    for document in of_kind(rendered(overlay), "Deployment", "StatefulSet", "CronJob"):
        pod = manifests.pod_of(document)["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not pod["automountServiceAccountToken"]
        for container in (*pod["containers"], *pod.get("initContainers", ())):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
            }  # fmt: skip
            assert container["resources"]["limits"]["memory"]
    for container in ours(overlay):
        assert str(container.pod["spec"]["securityContext"]["runAsUser"]) == images.image(container.image).user
        assert not container.pod["spec"]["enableServiceLinks"], "a Service's variables would look like our settings"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_are_told_only_settings_that_there_are_and_secrets_only_by_files_that_they_are_given(
    overlay: str,
) -> None:
    plain = manifests.settings_of(rendered(overlay))
    assert set(plain) <= VARIABLES - SECRETS
    for container in ours(overlay):
        told = {entry["name"]: entry["value"] for entry in container.spec["env"]}
        named = {name.removesuffix("_FILE") for name in told}
        assert named <= VARIABLES
        given = [key for keys in container.secret_keys.values() for key in keys or ()]
        whole = [name for name, keys in container.secret_keys.items() if keys is None]
        for name in named:
            assert told[f"{name}_FILE"] == f"/secrets/{name}"
            assert name in given or whole, f"{container.name} is not given {name}"
        assert set(given) <= named, f"{container.name} is given a secret that it does not read"
    everything = yaml.safe_dump_all(rendered(overlay))
    assert "kind: Secret\n" not in everything, "secrets are made by the operator, never committed"


def test_the_action_servers_never_get_what_writes_in_the_shop_s_name() -> None:
    assert "assistant-whatsapp" not in containers(rendered("small"))["actions"].secret_keys
    assert containers(rendered("small"))["archive"].secret_keys == {"assistant-stores": ["CONVERSATION_DATABASE_URL"]}


def test_only_what_migrates_gets_the_owner_of_the_tables() -> None:
    for name, container in containers(rendered("large")).items():
        owners = [volume["name"] for volume in container.pod["spec"]["volumes"]
                  if volume.get("secret", {}).get("secretName") == "assistant-owner"]  # fmt: skip
        assert not set(owners) & {mount["name"] for mount in container.spec["volumeMounts"]}, name
        for step in container.pod["spec"].get("initContainers", ()):
            assert step["image"] == container.spec["image"]
            assert step["args"][-1] == "migrate"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_rolling_update_takes_nobody_away_before_the_next_one_serves(overlay: str) -> None:
    for found in of_kind(rendered(overlay), "Deployment"):
        name, rolling = found["metadata"]["name"], found["spec"]["strategy"]["rollingUpdate"]
        if name != "worker":
            assert rolling["maxUnavailable"] == 0
        labels = found["spec"]["template"]["metadata"]["labels"].items()
        budgets = [one["spec"] for one in of_kind(rendered(overlay), "PodDisruptionBudget")
                   if one["spec"]["selector"]["matchLabels"].items() <= labels]  # fmt: skip
        assert [budget["maxUnavailable"] for budget in budgets] in ([1], ["10%"]), name


def test_a_pod_has_time_to_finish_what_runs() -> None:
    source = (images.ROOT / "connectors/server/application.py").read_text()  # importing it takes seconds
    server_s = float(re.findall(r"^STOP_TIMEOUT_S = ([\d.]+)$", source, re.MULTILINE)[0]) + 5
    for name, most_s in (("server", server_s), ("actions", 20), ("worker", worker_main.STOP_WITHIN_S)):
        container = containers(rendered("large"))[name]
        asleep_s = int(container.spec.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", "0")[-1])
        assert container.pod["spec"]["terminationGracePeriodSeconds"] >= asleep_s + most_s, name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_network_policies_let_through_what_the_probes_services_and_settings_need_and_no_more(overlay: str) -> None:
    documents = rendered(overlay)
    policies = {found["metadata"]["name"]: found["spec"] for found in of_kind(documents, "NetworkPolicy")}
    assert policies["default"]["podSelector"] == {}
    assert policies["default"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policies["default"]
    for container in ours(overlay):
        ports = [port["containerPort"] for port in container.spec.get("ports", ())]
        allowed = policies.get(container.name, {}).get("ingress", ())
        assert [port["port"] for rule in allowed for port in rule["ports"]] == ports
    callers = [source for rule in policies["actions"]["ingress"] for source in rule["from"] if "podSelector" in source]
    assert [source["podSelector"]["matchLabels"]["app.kubernetes.io/component"] for source in callers] == ["server"]
    for service in of_kind(documents, "Service"):
        selected = service["spec"]["selector"].items()
        pods = [manifests.pod_of(found) for found in of_kind(documents, "Deployment", "StatefulSet")
                if selected <= manifests.pod_of(found)["metadata"]["labels"].items()]  # fmt: skip
        assert len(pods) == 1, service["metadata"]["name"]
    action_url = re.fullmatch(r"http://(\w+):(\d+)/webhook", manifests.settings_of(documents)["ACTION_URL"])
    assert action_url
    assert (action_url[1], int(action_url[2])) in [
        (service["metadata"]["name"], service["spec"]["ports"][0]["port"]) for service in of_kind(documents, "Service")
    ]


def test_only_the_webhooks_can_be_reached_from_outside() -> None:
    [ingress] = of_kind(rendered("large"), "Ingress")
    assert [path["path"] for rule in ingress["spec"]["rules"] for path in rule["http"]["paths"]] == ["/webhooks"]


def test_servers_and_action_servers_are_scaled_by_the_age_of_the_oldest_message() -> None:
    objects = [found["spec"] for found in of_kind(rendered("large"), "ScaledObject")]
    scaled = {spec["scaleTargetRef"]["name"]: spec for spec in objects}
    removed = {"op": "remove", "path": "/spec/replicas"}
    not_set_back = [patch["target"]["name"] for patch in manifests.kustomization("large")["patches"]
                    if removed in yaml_files.parsed(patch.get("patch", "[]"))]  # fmt: skip
    assert set(scaled) == {"server", "actions"}
    for name, spec in scaled.items():
        assert any(re.fullmatch(target, name) for target in not_set_back), "an apply would set the number back"
        assert 2 <= spec["minReplicaCount"] < spec["maxReplicaCount"]
        age, processor = spec["triggers"]
        assert (age["type"], age["metricType"], processor["type"]) == ("metrics-api", "Value", "cpu")
        assert all(isinstance(value, str) for trigger in spec["triggers"] for value in trigger["metadata"].values())
        assert age["metadata"]["valueLocation"] == "assistant_inbox_oldest_seconds"
        assert (age["metadata"]["authMode"], age["authenticationRef"]) == ("bearer", {"name": "metrics"})
        # A greeting waits for its rest, and leases of a server that died for their end: neither needs more servers.
        rests = float(next(v.default for v in settings.VARIABLES if v.name == "BURST_WAIT_S") or 0)
        assert float(age["metadata"]["targetValue"]) > max(rests, partitions.LEASE_S)


def test_what_the_worker_leaves_to_the_cronjob_is_a_job_of_its() -> None:
    args = containers(rendered("small"))["worker"].spec["args"]
    assert args[-2] == "--without"
    assert f"worker.{args[-1]}" in worker_main.JOBS
    cron: dict[str, Any] = of_kind(rendered("small"), "CronJob")[0]["spec"]
    assert cron["concurrencyPolicy"] == "Forbid"


def test_the_small_redis_keeps_what_was_acknowledged() -> None:
    [redis] = [found for found in of_kind(rendered("small"), "StatefulSet") if found["metadata"]["name"] == "redis"]
    args: Document = manifests.pod_of(redis)["spec"]["containers"][0]["args"]
    composed = yaml_files.read(FOLDER.parents[1] / "compose.yaml")["services"]["redis"]["command"]
    assert args == composed.split()
