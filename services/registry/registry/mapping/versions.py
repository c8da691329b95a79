"""What each new version of a message says of itself."""

from datetime import datetime
from typing import Any

from chassis.etag import etag


def stamp(message: Any, version: int, now: datetime) -> None:
    """Set a message's etag and times, in place; the first version's time is that of its creation."""
    message.etag = etag(version)
    message.update_time.FromDatetime(now)
    if version == 1:
        message.create_time.FromDatetime(now)
