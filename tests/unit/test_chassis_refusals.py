"""What is said of a Kafka that can't be reached, out of what aiokafka says to its own log."""

import logging
import re
import ssl
from pathlib import Path

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed, TopicAuthorizationFailedError

from chassis import refusals
from chassis.kafka import CaFileError, KafkaAccess

pytestmark = pytest.mark.usefixtures("kafka_heard")
_LOG = logging.getLogger("aiokafka.client")
_UNABLE = 'Unable connect to "%s:%s": %s'
_RAISED = KafkaConnectionError("Unable to bootstrap from [('kafka', 9093, 0)]")


@pytest.mark.parametrize(
    ("error", "said", "is_refusal"),
    [
        (ConnectionRefusedError(111, "Connect call failed"), "no connection to Kafka", False),
        (TimeoutError(), "no connection to Kafka: TimeoutError", False),
        (ssl.SSLCertVerificationError(1, "unable to get local issuer certificate"), "certificate is not trusted", True),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "TLS handshake with Kafka failed", False),
        (SaslAuthenticationFailed("invalid credentials"), "refuses the login: .*invalid credentials", True),
    ],
)
def test_the_cause_is_told_with_the_address(error: Exception, said: str, is_refusal: bool) -> None:
    _LOG.error(_UNABLE, "kafka", 9093, error)
    for raised in (_RAISED, TimeoutError()):
        assert re.search(f"{said}.*kafka:9093", refusals.why(raised))
        assert refusals.is_refusal(raised) == is_refusal


def test_a_refusal_is_told_before_an_absence() -> None:
    _LOG.error(_UNABLE, "a", 1, SaslAuthenticationFailed("no"))
    _LOG.error(_UNABLE, "b", 2, ConnectionRefusedError())
    assert "refuses the login" in refusals.why(_RAISED)


def test_what_is_over_and_what_is_another_matter_is_not_told() -> None:
    _LOG.error(_UNABLE, "kafka", 9093, SaslAuthenticationFailed("no"))
    assert "TopicAuthorizationFailed" in refusals.why(TopicAuthorizationFailedError("a.topic"))
    refusals.forget()
    assert refusals.why(_RAISED) == str(_RAISED)
    assert refusals.why(TimeoutError()) == "TimeoutError"


def test_a_file_of_the_ca_is_named_with_what_is_wrong(tmp_path: Path) -> None:
    broken = tmp_path / "broken.crt"
    broken.write_text("no certificate", "utf-8")
    for file, wrong in ((tmp_path / "none.crt", "can't be read: No such file"), (broken, "holds no certificate in PEM")):
        with pytest.raises(CaFileError, match=wrong) as raised:
            KafkaAccess("kafka:9093", "SASL_SSL", "a", "b", str(file)).options()
        assert str(file) in refusals.why(raised.value)
        assert refusals.is_refusal(raised.value)
