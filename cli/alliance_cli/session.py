"""Where the services are, who is calling, in which language.

A session file (mode 0600) keeps addresses and the token: `$ALLIANCE_SESSION`, else `session.json` in the state folder
of a local platform found from the current folder upwards, else `~/.config/alliance/session.json`.
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import grpc

SERVICES = ("registry", "listings", "matching", "reporting", "notify")
STATE_FOLDER = ".local"
TIMEOUT = 30.0  # seconds a call may take
_HERE = ("127.0.0.1:", "localhost:", "[::1]:", "unix:")
_CHANNEL_OPTIONS = [("grpc.max_receive_message_length", 64 * 1024 * 1024)]


@dataclass
class Session:
    """Addresses, token and the organization acted for."""

    targets: dict[str, str] = field(default_factory=dict)
    token: str = ""
    subject: str = ""
    organization: str = ""
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_name: str = ""
    """The name in the services' certificates where that is not their address; `{service}` stands for the service."""


@dataclass
class Context:
    """What the options before the command chose; one per process."""

    language: str = "zh"
    output: str = "table"
    session: Session = field(default_factory=Session)


context = Context()


def t(zh: str, en: str) -> str:
    """The text in the language that the user chose."""
    return en if context.language == "en" else zh


def state_folder() -> Path | None:
    """The state folder of the local platform that the current folder belongs to."""
    if chosen := os.environ.get("ALLIANCE_STATE_DIR"):
        return Path(chosen)
    here = Path.cwd()
    return next((f / STATE_FOLDER for f in (here, *here.parents) if (f / STATE_FOLDER).is_dir()), None)


def session_file() -> Path:
    """Where the session is kept."""
    if chosen := os.environ.get("ALLIANCE_SESSION"):
        return Path(chosen)
    local = state_folder()
    return local / "session.json" if local else Path.home() / ".config" / "alliance" / "session.json"


def load() -> Session:
    """The kept session; an empty one where there is none. A local platform's addresses are always read anew."""
    file = session_file()
    session = Session(**json.loads(file.read_text())) if file.exists() else Session()
    session.targets = {**session.targets, **local_targets()}
    return session


def save(session: Session) -> Path:
    """Keep the session, readable by its owner only."""
    file = session_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)  # also where the file was there before
    with os.fdopen(descriptor, "w") as opened:
        json.dump(asdict(session), opened, ensure_ascii=False, indent=2)
    return file


def local_targets() -> dict[str, str]:
    """Addresses of the local platform's services; empty where none is set up."""
    folder = state_folder()
    file = folder / "ports.json" if folder else None
    if file is None or not file.exists():
        return {}
    ports = json.loads(file.read_text())
    return {name: f"127.0.0.1:{ports[name]}" for name in SERVICES if name in ports}


def channel(service: str) -> grpc.Channel:
    """A channel to a service; plain only to this machine, and without a certificate of ours; TLS to any other."""
    target = context.session.targets.get(service)
    if not target:
        text = t(
            f"不知道 {service} 的地址：先 `alliance local up`，或 `alliance login --target {service}=主机:端口`",
            f"no address of {service}: `alliance local up`, or `alliance login --target {service}=host:port`",
        )
        print(text, file=sys.stderr)
        raise SystemExit(2)
    if target.startswith(_HERE) and not context.session.tls_cert:
        return grpc.insecure_channel(target, options=_CHANNEL_OPTIONS)
    kept = context.session
    roots, key, chain = (Path(file).read_bytes() if file else None for file in (kept.tls_ca, kept.tls_key, kept.tls_cert))
    name = [("grpc.ssl_target_name_override", kept.tls_name.format(service=service))] if kept.tls_name else []
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(roots, key, chain), options=[*_CHANNEL_OPTIONS, *name])


def metadata() -> list[tuple[str, str]]:
    """Metadata of every call: language and, where logged in, the token."""
    sent = [("accept-language", context.language)]
    if context.session.token:
        sent.append(("authorization", f"Bearer {context.session.token}"))
    return sent


def call(method: Any, request: Any) -> Any:
    """Make one call with deadline, language and token."""
    return method(request, timeout=TIMEOUT, metadata=metadata())
