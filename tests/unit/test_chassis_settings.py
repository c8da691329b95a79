"""Settings: what may not be so in production is refused at the start."""

import json
import subprocess
import sys
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


_OUTSIDE = [
    "0.0.0.0/0",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "10.0.0.0/7",
    "8.8.8.0/24",
    "::/0",
    "fe80::/10",
    "fc00::/6",
    "::1/128",
]


@pytest.mark.parametrize("network", ["10.20.0.0/33", "intranet", "", *_OUTSIDE])
def test_what_is_no_network_is_refused(network: str) -> None:
    with pytest.raises(ValidationError, match="private_networks"):
        _made(NotifySettings, private_networks=[network])


@pytest.mark.parametrize(
    "network", ["10.0.0.0/8", "172.31.0.0/16", "192.168.1.7/32", "100.64.0.0/10", "fc00::/7", "10.20.5.0/16"]
)
def test_networks_of_somebodys_own_are_taken(network: str) -> None:
    assert len(_made(NotifySettings, profile="production", private_networks=[network]).private_networks) == 1


@pytest.mark.parametrize("given", ["10.20.0.0/16", "[10.20.0.0/16]"])
def test_a_setting_that_is_no_json_is_named_and_ends_the_start_with_2(given: str) -> None:
    environment = {f"ALLIANCE_{name.upper()}": value for name, value in _NEEDED.items()} | {"ALLIANCE_PRIVATE_NETWORKS": given}
    done = subprocess.run(
        [sys.executable, "-m", "notify", "migrate"], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "private_networks" in json.loads(line)["message"]


def test_mails_leave_encrypted_in_production() -> None:
    assert _made(NotifySettings, profile="production", smtp_host="smtp.example").smtp_starttls
    assert _made(NotifySettings, profile="production", smtp_starttls=False).smtp_host == ""  # there are none
    assert not _made(NotifySettings, profile="development", smtp_host="smtp.example", smtp_starttls=False).smtp_starttls
    with pytest.raises(ValidationError, match="ALLIANCE_SMTP_STARTTLS"):
        _made(NotifySettings, profile="production", smtp_host="smtp.example", smtp_starttls=False)
