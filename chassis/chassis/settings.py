"""Settings 配置 of a service: one typed class, read from `ALLIANCE_*`; a start with wrong ones lists every problem."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.targets import Network


class ServiceSettings(BaseSettings):
    """What every service needs; a service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(env_prefix="ALLIANCE_", extra="ignore", hide_input_in_errors=True)

    service: str
    profile: Literal["development", "production"] = "development"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    slot: str = "0"
    """Replica slot; with the group it makes the static member id, so it must be unique among the replicas."""

    database_url: SecretStr
    """`postgresql://user:password@/database?host=/socket/folder` or a host and port; the service's lesser role. Where the
    URL has no password, `PGPASSWORD` has it."""
    migration_database_url: SecretStr | None = None
    """The same database as the owner's role; for `migrate` only."""
    database_ca_file: Path | None = None
    """What PostgreSQL's certificate is checked against, its name too; without one the connection is plain."""
    database_pool: int = Field(default=10, ge=2, le=100)

    kafka_bootstrap: str
    kafka_security: Literal["PLAINTEXT", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: Path | None = None

    grpc_listen: str = "127.0.0.1:0"
    grpc_max_concurrent: int = Field(default=200, ge=1)
    """Calls worked on at once at most (`chassis.limit`); more are refused with RESOURCE_EXHAUSTED."""
    grpc_cert_file: Path | None = None
    grpc_key_file: Path | None = None
    grpc_ca_file: Path | None = None
    """All three or none: this service's certificate, its key, and the CA that its callers' and its peers' certificates have to
    be of. Files that change are read again."""
    grpc_names: tuple[str, ...] = ()
    """Names by which this service is called, as `["registry.example"]`: no certificate is taken that is not for all of them.
    Without any, they are not looked at."""
    probes_listen: str | None = None
    """A further plain port with nothing but health, for who can't show a certificate: the kubelet."""
    metrics_listen: str = "127.0.0.1:0"
    ports_file: Path | None = None
    """Where the bound ports are written once the service serves, as JSON `{"grpc": …, "metrics": …}`."""

    registry_target: str = ""
    """gRPC address of registry, `host:port`."""

    jwks_file: Path
    token_issuer: str
    token_audience: str = "alliance"
    service_token_file: Path | None = None
    """Token of the principal `service:<name>`; read again when the file changes."""
    bootstrap_admin_sub: str | None = None
    """Principal that gets the first platform grant, once."""

    outbox_max_age: float = Field(default=600.0, gt=0)
    """Seconds that the oldest unpublished event may wait before commands are refused."""
    outbox_max_rows: int = Field(default=1_000_000, ge=1)
    tick_seconds: float = Field(default=1.0, gt=0)
    """How often sweeps look at the business clock."""
    retry_delays: tuple[Annotated[float, Field(ge=0)], ...] = (0.2, 1.0, 5.0, 30.0, 120.0)
    """Seconds before each further attempt at a dead letter; after the last it is `dead`."""

    otlp_endpoint: str | None = None
    trace_file: Path | None = None
    """Where spans are appended as JSON lines, for tests and the local platform."""
    trace_ratio: float = Field(default=1.0, ge=0, le=1)
    """Share of the traces that are recorded, of those that begin here."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = {name: getattr(self, name) for name in ("grpc_cert_file", "grpc_key_file", "grpc_ca_file")}
        missing = ", ".join(f"ALLIANCE_{name.upper()}" for name, file in given.items() if not file)
        if missing and any(given.values()):
            raise ValueError(f"证书、私钥和 CA 须同时给出，缺 · certificate, key and CA go together; missing: {missing}")
        return self


_INSIDE = [ip_network(one) for one in ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")]


def _inside(given: object) -> Network:
    """A network of somebody's own, and no machine itself, nor where clouds give machines their secrets."""
    found = ip_network(str(given), strict=False)
    if not any(found.version == one.version and found.subnet_of(one) for one in _INSIDE):  # type: ignore[arg-type]  # as told
        raise ValueError(f"须在私有地址段内 · has to lie in one of {', '.join(map(str, _INSIDE))}")
    return found


_Network = Annotated[IPv4Network | IPv6Network, BeforeValidator(_inside)]


class OutgoingSettings(ServiceSettings):
    """Of a service whose requests go to addresses that somebody outside names (`chassis.outgoing`)."""

    allow_private_targets: bool = False
    """Targets on this machine and in any private network, and by plain http; for development."""
    private_networks: tuple[_Network, ...] = ()
    """Private networks whose https targets are allowed, as `["10.20.0.0/16"]`: for receivers on a government's own network."""

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if self.profile == "production" and self.allow_private_targets:
            raise ValueError(
                "ALLIANCE_ALLOW_PRIVATE_TARGETS 仅供开发；内网的接收方请用 ALLIANCE_PRIVATE_NETWORKS 列出网段 · "
                "is for development; name the networks of receivers that are inside in ALLIANCE_PRIVATE_NETWORKS"
            )
        return self
