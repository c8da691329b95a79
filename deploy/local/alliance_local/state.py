"""Where the local platform keeps everything: one folder of the checkout, `.local`; downloads in `.cache` beside it.

ports.json    part → port            secrets.json  passwords (mode 0600)
status.json   part → state, pid …    progress.log  what the supervisor did, with times
logs/ traces/ received/ tokens/ issuer/ postgres/ kafka/
"""

import hashlib
import json
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVICES = ("registry", "listings", "matching", "reporting", "notify")
SINKS = ("smtp", "webhook")
_CHECKOUT = Path(__file__).resolve().parents[3]
_SOCKET_LIMIT = 90  # bytes of a unix socket's folder; the whole path has to stay below 108


@dataclass(frozen=True)
class State:
    """The state folder."""

    root: Path

    @classmethod
    def default(cls) -> "State":
        """`$ALLIANCE_STATE_DIR`, else `.local` of the checkout."""
        chosen = os.environ.get("ALLIANCE_STATE_DIR")
        return cls(Path(chosen).resolve() if chosen else _CHECKOUT / ".local")

    @property
    def cache(self) -> Path:
        """Downloads; kept when the state is reset."""
        return _CHECKOUT / ".cache"

    @property
    def sockets(self) -> Path:
        """Folder of PostgreSQL's socket: in the state folder, or a short one where that is too deep."""
        inside = self.root / "postgres"
        if len(str(inside)) < _SOCKET_LIMIT:
            return inside
        name = hashlib.sha256(str(self.root).encode()).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"alliance-{name}"

    def folder(self, name: str) -> Path:
        """A folder of the state, made where it is missing; for its owner only."""
        found = self.root / name
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        return found

    def log(self, part: str) -> Path:
        """The log of a part."""
        return self.folder("logs") / f"{part}.log"

    def read(self, name: str) -> dict[str, Any]:
        """A JSON file of the state; empty where there is none."""
        file = self.root / name
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return content

    def write(self, name: str, content: dict[str, Any], mode: int = 0o644) -> None:
        """Replace a JSON file of the state at once."""
        self.root.mkdir(parents=True, exist_ok=True)
        scratch = self.root / f"{name}.tmp"
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            json.dump(content, opened, ensure_ascii=False, indent=2)
        scratch.replace(self.root / name)

    def secret(self, name: str) -> str:
        """A password, made up at its first use and kept."""
        kept = self.read("secrets.json")
        if name not in kept:
            kept[name] = secrets.token_urlsafe(24)
            self.write("secrets.json", kept, 0o600)
        return str(kept[name])
