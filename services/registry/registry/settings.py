"""Settings of registry; those that every service has (prefix ALLIANCE_) and its own."""

from pydantic import Field, field_validator

from chassis.settings import ServiceSettings
from registry.domain.limits import limits


class RegistrySettings(ServiceSettings):
    """Registry's."""

    service: str = "registry"
    policy_limits: dict[str, int] = Field(default_factory=dict)
    """Thresholds of the rules that are not the default, as JSON, e.g. `{"secretariat_staff": 2}` (docs/policy-rules.md)."""

    objects_url: str
    """Where documents are kept: `file:///folder`, or `s3://bucket/prefix` with `AWS_*` for credentials and endpoint.

    An endpoint without TLS needs `AWS_ALLOW_HTTP=true`.
    """
    clamd: str = Field(default="", pattern=r"^([^:]+:\d+)?$")
    """Address of ClamAV's daemon, `host:port`, that scans what is uploaded; none where empty."""

    @field_validator("policy_limits")
    @classmethod
    def _known(cls, chosen: dict[str, int]) -> dict[str, int]:
        limits(chosen)
        return chosen
