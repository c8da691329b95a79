"""Mistakes that a template could have, each made in what a profile renders to, and the rule that has to see it."""

from collections.abc import Callable
from typing import Any

from tests.deploy.rendered import Rendered

Mutation = tuple[str, str, str, Callable[[Rendered], object]]
"""Rule that sees it, what is done, in which profile, and how."""


def drop(r: Rendered, kind: str, name: str) -> None:
    before = len(r.manifests)
    r.manifests[:] = [one for one in r.manifests if (one["kind"], one["metadata"]["name"]) != (kind, name)]
    assert len(r.manifests) == before - 1, f"no {kind}/{name}"


def variable(container: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in container["env"] if one["name"] == name)


def init(r: Rendered, service: str) -> dict[str, Any]:
    found: dict[str, Any] = r.pod(service)["initContainers"][-1]
    return found


def rules(r: Rendered, service: str, way: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = r.policy(service)[way]
    return found
