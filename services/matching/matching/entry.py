"""What is kept of a published listing."""

from dataclasses import dataclass

from matching.domain.facts import Facts


@dataclass(frozen=True, slots=True)
class Entry:
    """A published listing: what matching judges by, and the serialized contract message."""

    facts: Facts
    listing: bytes
    source: str = ""
    title: str = ""
