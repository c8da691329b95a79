"""Settings of listings, beside those that every service has (prefix ALLIANCE_)."""

from pathlib import Path

from pydantic import Field

from chassis.settings import OutgoingSettings


class ListingsSettings(OutgoingSettings):
    """Where feeds go, and what maps them."""

    service: str = "listings"
    feed_mappings: Path | None = None
    """Folder of the mapping files of feeds, `<name>.yaml`, beside the built-in ones; a changed file counts at once."""
    feed_timeout: float = Field(default=30.0, gt=0)
    """Seconds that an exchange with an outside system may take."""
