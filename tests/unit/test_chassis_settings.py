"""Settings: what may not be so in production is refused at the start."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from chassis.settings import OutgoingSettings, ServiceSettings
from listings.settings import ListingsSettings
from notify.settings import NotifySettings

_NEEDED = {"database_url": "postgresql://nobody@/nowhere", "kafka_bootstrap": "k:9092", "jwks_file": "f", "token_issuer": "i"}


def _made(kind: type[ServiceSettings], **given: Any) -> Any:
    return kind(**{**_NEEDED, **given})


@pytest.mark.parametrize("kind", [ListingsSettings, NotifySettings])
def test_private_targets_as_such_are_for_development(kind: type[OutgoingSettings]) -> None:
    assert _made(kind, profile="development", allow_private_targets=True).allow_private_targets
    assert not _made(kind, profile="production").allow_private_targets
    with pytest.raises(ValidationError, match="ALLIANCE_PRIVATE_NETWORKS"):
        _made(kind, profile="production", allow_private_targets=True)


def test_private_networks_are_named_in_production_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLIANCE_PRIVATE_NETWORKS", json.dumps(["10.20.0.0/16", "fd00:1::/32"]))
    found = _made(NotifySettings, profile="production").private_networks
    assert [str(one) for one in found] == ["10.20.0.0/16", "fd00:1::/32"]


@pytest.mark.parametrize("network", ["10.20.0.0/33", "10.20.0.1/16", "intranet", ""])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(ValidationError, match="private_networks"):
        _made(NotifySettings, private_networks=[network])


def test_mails_leave_encrypted_in_production() -> None:
    assert _made(NotifySettings, profile="production", smtp_host="smtp.example").smtp_starttls
    assert _made(NotifySettings, profile="production", smtp_starttls=False).smtp_host == ""  # there are none
    assert not _made(NotifySettings, profile="development", smtp_host="smtp.example", smtp_starttls=False).smtp_starttls
    with pytest.raises(ValidationError, match="ALLIANCE_SMTP_STARTTLS"):
        _made(NotifySettings, profile="production", smtp_host="smtp.example", smtp_starttls=False)
