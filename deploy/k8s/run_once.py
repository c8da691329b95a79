"""Makes of a service's Deployment a Job that runs one command of its image, with its settings, secrets and rights:

kubectl get deployment alliance-listings -o json |
  python3 deploy/k8s/run_once.py restore-fence "WHY" --actor WHO | kubectl apply -f -

Reads JSON from stdin and writes JSON; asks no cluster. The Job goes a day after it has ended.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import Any

_DAY = 86_400  # seconds
_FENCE, _TOPICS = "restore-fence", "topics"
_COMPONENT = "app.kubernetes.io/component"
_OF_A_SERVICE = ("startupProbe", "readinessProbe", "livenessProbe", "lifecycle")
_TRIES = 6  # further ones: after 10 s, 20 s, 40 s …, while a broker begins


def job_of(deployment: dict[str, Any], arguments: Sequence[str], stamp: int) -> dict[str, Any]:
    """The Job. Its pod is of the component SERVICE-once: network policies let it out as the service, but neither Deployment,
    Service nor disruption budget takes it for one of the service's. `stamp` makes its name its own. Before a fence comes what
    comes before the service: a backup may be of before the last upgrade, and a new Kafka without topics. Any other command is
    for a service that has been through that. `topics` is run as the init container runs it, whose files and arguments
    (administrator, replicas, rights) it gets, and is tried again where it fails: to run it twice makes nothing twice.
    """
    metadata, spec = deployment["metadata"], deployment["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    once = {key: value for key, value in container.items() if key not in _OF_A_SERVICE}
    arguments = [*arguments]
    for before in spec.get("initContainers", []) if arguments[0] == _TOPICS else ():
        if before["name"] == _TOPICS:
            own = [one for one in before["volumeMounts"] if one not in once["volumeMounts"]]
            once |= {"volumeMounts": [*once["volumeMounts"], *own]}
            arguments = [*before["args"], *arguments[1:]]
    left = ("topologySpreadConstraints",) if arguments[0] == _FENCE else ("topologySpreadConstraints", "initContainers")
    pod = {key: value for key, value in spec.items() if key not in left}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    template = {
        "metadata": {"labels": labels | {_COMPONENT: f"{labels[_COMPONENT]}-once"}},
        "spec": pod | {"restartPolicy": "Never", "containers": [once | {"args": arguments}]},
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{metadata['name']}-{arguments[0]}-{stamp}",
            **({"namespace": metadata["namespace"]} if "namespace" in metadata else {}),
            "labels": labels,
        },
        "spec": {
            "backoffLimit": _TRIES if arguments[0] == _TOPICS else 0,
            "ttlSecondsAfterFinished": _DAY,
            "template": template,
        },
    }


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    json.dump(job_of(json.load(sys.stdin), sys.argv[1:], int(time.time())), sys.stdout, ensure_ascii=False)
