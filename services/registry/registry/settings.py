"""Settings of registry; those that every service has (prefix ALLIANCE_)."""

from chassis.settings import ServiceSettings


class RegistrySettings(ServiceSettings):
    """Nothing of its own yet but its name."""

    service: str = "registry"
