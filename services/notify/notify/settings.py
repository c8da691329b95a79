"""Settings of notify, beside those that every service has (prefix ALLIANCE_)."""

from pydantic import Field, SecretStr

from chassis.settings import ServiceSettings


class NotifySettings(ServiceSettings):
    """How mails and webhooks leave."""

    service: str = "notify"
    smtp_host: str = ""
    """Empty: no mails; subscriptions by e-mail are refused."""
    smtp_port: int = 25
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = False
    mail_from: str = "no-reply@alliance.example"
    mail_domain: str = "alliance.example"
    """What the `Message-ID`s end with."""
    allow_private_targets: bool = False
    """Webhooks to this machine and to private networks, and by plain http; for development."""
    delivery_timeout: float = Field(default=10.0, gt=0)
    """Seconds that a receiver may take."""
    delivery_delays: tuple[float, ...] = (5, 30, 120, 600, 3600, 21600, 86400)
    """Seconds before each further attempt; after the last the delivery has failed."""
