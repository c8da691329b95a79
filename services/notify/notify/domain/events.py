"""What notify knows of an event, and which subscriptions it is for."""

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum


class Audience(IntEnum):
    """Who may be told."""

    EVERYBODY = 1
    VIEWERS = 2
    """Who may see the listing."""
    SIDES = 3
    """The organizations named, and the secretariats of the bodies named."""
    MEMBERS = 4
    """Members of the bodies named."""
    STEERING = 5
    """The bodies' secretariats, and, verified, the task forces and lead departments of those that are no drafts."""
    PARTIES = 6
    """The organizations named, and the issuer's secondary colleges, which act for it."""
    SHARED = 7
    """As PARTIES, and the bodies' members and task forces."""
    SEEKERS = 8
    """The organizations named, as long as they may see the listing."""
    RECIPIENTS = 9
    """The organizations named that are verified, and the secretariats of the bodies named."""


@dataclass(frozen=True)
class About:
    """An event as far as subscriptions and texts need it.

    Attributes:
        organizations: who issued what it is about, or is a side of it.
        facts: what the texts fill in, by name.
        visibility, issuer: of a listing, or the applicant of an application; else 0 and "".
        shown: whether those may know who could see the listing while it was published.
        owners: to whom all of the record is shown; to others only what is everybody's (`notify.shown`).
        variant: which of the type's texts it reads by; "" for the only one.
    """

    event_id: str
    type: str
    subject: str
    organizations: frozenset[str] = frozenset()
    bodies: frozenset[str] = frozenset()
    listing_kind: int = 0
    audience: Audience = Audience.SIDES
    issuer: str = ""
    visibility: int = 0
    shown: bool = False
    owners: frozenset[str] = frozenset()
    facts: dict[str, str] = field(default_factory=dict)
    variant: str = ""


ENDS = frozenset(f"alliance.listings.listing.{verb}.v1" for verb in ("withdrawn", "expired", "fulfilled"))
"""How a listing ends: whoever could see it may know that; of what its issuer does to it afterwards nobody else hears."""
SHARED_PROGRAMMES = frozenset({1, 4, 7, 8})
"""Programmes whose applications the members of the body may read: registry's `domain.calls.SHARED`, held equal by a test."""


@dataclass(frozen=True)
class Filter:
    """What a subscription narrows itself to; empty fields take in everything."""

    body: str = ""
    listing_kinds: frozenset[int] = frozenset()
    organization: str = ""

    def takes(self, about: About) -> bool:
        """Whether an event passes."""
        return (
            (not self.body or self.body in about.bodies)
            and (not self.listing_kinds or about.listing_kind in self.listing_kinds)
            and (not self.organization or self.organization in about.organizations)
        )


def patterns(event_type: str) -> tuple[str, str]:
    """What a subscription may name to get events of a type: itself, or `*` for the verb."""
    service, _, rest = event_type.partition(".")
    parts = rest.split(".")
    return event_type, ".".join([service, *parts[:-2], "*", parts[-1]])


def known_patterns(event_types: Collection[str]) -> frozenset[str]:
    """Everything that a subscription may name."""
    return frozenset(pattern for one in event_types for pattern in patterns(one))
