"""Structured logs 日志: one JSON object a line on stderr, with trace ids; never payloads or personal data."""

import json
import logging
import sys
from datetime import UTC, datetime

from chassis import refusals, telemetry

_TRACEBACK = 3000  # characters of a traceback, its end
_STANDARD = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {"message", "asctime", "taskName"}


class _JsonFormatter(logging.Formatter):
    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if trace := telemetry.trace_id():
            line["trace_id"] = trace
        line.update({name: value for name, value in record.__dict__.items() if name not in _STANDARD})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-_TRACEBACK:]
        return json.dumps(line, ensure_ascii=False, default=str)


def setup(service: str, level: str) -> None:
    """Send all logs of the process to stderr as JSON lines; libraries from WARNING up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter(service))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    refusals.listen()
    for ours in ("chassis", "access", service):
        logging.getLogger(ours).setLevel(level)
