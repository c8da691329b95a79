"""Whether a cluster's network enforces policies at all: some take them and do nothing."""

import json

from tests.cluster.cluster import Cluster
from tests.cluster.waiting import within

_CLOSED = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "NetworkPolicy",
    "metadata": {"name": "closed"},
    "spec": {"podSelector": {"matchLabels": {"app": "stranger"}}, "policyTypes": ["Ingress"]},
}
_TAKES_HOLD = 15.0  # seconds


def is_enforced(cluster: Cluster) -> bool:
    """Tried with a policy that has nothing to do with the chart, on a pod that answers the client before and after."""
    stranger = {cluster.caller("stranger")}
    assert cluster.reached("client", stranger, cluster.beside) == stranger
    cluster.kubectl("create", "-f", "-", given=json.dumps(_CLOSED), namespace=cluster.beside)
    closed = within(_TAKES_HOLD, lambda: not cluster.reached("client", stranger, cluster.beside))
    cluster.kubectl("delete", "networkpolicy", "closed", namespace=cluster.beside)
    assert within(_TAKES_HOLD, lambda: cluster.reached("client", stranger, cluster.beside))
    return closed
