"""Settings of notify, beside those that every service has (prefix ALLIANCE_)."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from chassis.settings import OutgoingSettings


class NotifySettings(OutgoingSettings):
    """How mails and webhooks leave."""

    service: str = "notify"
    smtp_host: str = Field(default="", pattern=r"^[^\s:/@]*$")
    """Empty: no mails; subscriptions by e-mail are refused."""
    smtp_port: int = Field(default=25, ge=1, le=65535)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    """Mails and the password go in the clear without; never so in production."""
    mail_from: str = Field(default="no-reply@alliance.example", pattern=r"^([^<>@]+ <)?[^<>@\s]+@[^<>@\s]+>?$")
    mail_domain: str = Field(default="alliance.example", pattern=r"^[^@\s]+$")
    """What the `Message-ID`s end with."""
    delivery_timeout: float = Field(default=10.0, gt=0)
    """Seconds that a receiver may take."""
    delivery_delays: tuple[Annotated[float, Field(ge=0)], ...] = (5, 30, 120, 600, 3600, 21600, 86400)
    """Seconds before each further attempt; after the last the delivery has failed."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if self.profile == "production" and self.smtp_host and not self.smtp_starttls:
            raise ValueError("ALLIANCE_SMTP_STARTTLS: 生产环境发信须加密 · mails leave encrypted in production")
        return self
