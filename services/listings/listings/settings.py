"""Settings of listings; those that every service has (prefix ALLIANCE_)."""

from chassis.settings import ServiceSettings


class ListingsSettings(ServiceSettings):
    """Nothing of its own yet but its name."""

    service: str = "listings"
