"""Chassis: where requests may go, and what is signed."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import pytest

from chassis.outgoing import is_signed, signed
from chassis.targets import PRIVATE, is_allowed, is_public, problem


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2400:3200::1", True),
        ("127.0.0.1", False),
        ("127.255.255.254", False),
        ("0.0.0.0", False),  # noqa: S104 - the address is judged, nothing is bound to it
        ("10.0.0.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("172.15.255.255", True),
        ("172.16.0.0", False),
        ("172.31.255.255", False),
        ("172.32.0.0", True),
        ("192.168.1.1", False),
        ("192.0.2.1", False),
        ("198.18.0.1", False),
        ("224.0.0.1", False),
        ("239.255.255.250", False),
        ("255.255.255.255", False),
        ("::", False),
        ("::1", False),
        ("fc00::1", False),
        ("fe80::1", False),
        ("fe80::1%eth0", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("2002:7f00:1::", False),  # 6to4 of 127.0.0.1
        ("2002:a00:1::", False),  # 6to4 of 10.0.0.1
        ("64:ff9b::7f00:1", False),  # NAT64 of 127.0.0.1
        ("64:ff9b::a00:1", False),
        ("64:ff9b::808:808", True),
        ("64:ff9b:1::a00:1", False),
        ("::127.0.0.1", False),
        ("fec0::1", False),
        ("::ffff:0:7f00:1", False),
    ],
)
def test_only_the_open_internet(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("8.8.8.8", True),
        ("10.19.255.255", False),
        ("10.20.0.0", True),
        ("10.20.255.255", True),
        ("10.21.0.0", False),
        ("::ffff:10.20.0.1", False),  # is not written so by who names a network
        ("fd00:1::1", True),
        ("fd00:2::1", False),
        ("fd00:1::1%eth0", True),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
    ],
)
def test_private_networks_that_are_named_are_allowed_and_no_others(address: str, allowed: bool) -> None:
    assert is_allowed(address, [ip_network("10.20.0.0/16"), ip_network("fd00:1::/32")]) is allowed


@pytest.mark.parametrize(
    ("url", "open_only", "private_too"),
    [
        ("https://hooks.example.com/a?b=c", True, True),
        ("https://hooks.example.com:8443/", True, True),
        ("http://hooks.example.com/", False, True),
        ("ftp://hooks.example.com/", False, False),
        ("file:///etc/passwd", False, False),
        ("hooks.example.com", False, False),
        ("https://", False, False),
        ("https://:443/", False, False),
        ("https://hooks.example.com:0/", False, False),
        ("https://hooks.example.com:65536/", False, False),
        ("https://hooks.example.com:port/", False, False),
        ("https://[::1/", False, False),
        ("https://user:secret@hooks.example.com/", False, False),
        ("https://user@hooks.example.com/", False, False),
        ("https://hooks.example.com./", True, True),
        ("https://例子.中国/", True, True),
        ("https://my_hooks.example.com/", True, True),
        *(
            (f"https://{host}/", False, False)
            for host in ("a b.org", "a..org", "-a.org", "a" * 64, "a,b.org", "a%20b.org", "...")
        ),
        *((f"https://[{host}]/", False, False) for host in ("fe80::1%25eth0", "fe80::1%eth0", "2400:3200::1%1")),
        ("", False, False),
    ],
)
def test_a_target_as_it_is_written(url: str, open_only: bool, private_too: bool) -> None:
    assert (problem(url, allow_private=False, networks=()) is None) is open_only
    assert (problem(url, allow_private=True, networks=()) is None) is private_too


@pytest.mark.parametrize(
    ("host", "private"),
    [
        *(
            (host, True)
            for host in ("0.0.0.0", "10.1.2.3", "127.0.0.1", "127.0.0.1.", "[::1]", "[::ffff:10.0.0.1]")  # noqa: S104 - not bound
        ),
        *((host, False) for host in ("8.8.8.8", "[2400:3200::1]", "10.20.0.1", "10.1.2.3.example.com", "localhost.cn")),
    ],
)
def test_a_private_address_is_refused_as_it_is_written(host: str, private: bool) -> None:
    """However connecting would read it; where a name leads is seen on the connection alone."""
    named, url = [ip_network("10.20.0.0/16")], f"https://{host}:8443/a"
    wrong = problem(url, allow_private=False, networks=named)
    assert wrong == (PRIVATE if private else None)
    assert problem(url, allow_private=True, networks=()) is None


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        *((host, False) for host in ("1.2.3", "127.1", "2130706433", "0x7f.1", "0x7f000001", "0X", "1.2.3.", "1.2.3.4.5")),
        *((host, False) for host in ("256.1.1.1", "010.0.0.1", "１２７.1", "a.1", "a.0x1")),
        *((host, True) for host in ("1.2.3.4", "1.2.3.4.", "1.2.3.cn", "163.com", "1.2.3.4a", "0x7f.com", "x1")),
    ],
)
def test_a_host_that_ends_in_a_number_is_an_ipv4_address_in_full(host: str, is_one: bool) -> None:
    """Programs read shorter forms each in its own way, and no name ends so."""
    for allow_private in (False, True):
        assert (problem(f"https://{host}/", allow_private=allow_private, networks=()) is None) is is_one


def test_the_refusal_of_a_private_address_says_what_to_do() -> None:
    assert all("ALLIANCE_PRIVATE_NETWORKS" in text for text in PRIVATE)


def test_a_refusal_repeats_no_password() -> None:
    wrong = problem("https://user:secret@hooks.example.com/", allow_private=True, networks=())
    assert wrong is not None
    assert not any("secret" in text for text in wrong)


_SECRET, _OTHER = "whsec_" + "A" * 32, "whsec_" + "B" * 32


def test_what_was_signed_is_verified_under_its_own_id_secret_and_time_only() -> None:
    now = datetime.now(UTC)
    headers = signed([_SECRET], "id", now, "内容")
    assert is_signed([_SECRET], "id", "内容".encode(), headers)
    assert not is_signed([_SECRET], "another", "内容".encode(), headers)
    assert not is_signed([_OTHER], "id", "内容".encode(), headers)
    assert not is_signed([_SECRET], "id", "另一内容".encode(), headers)
    for away in (timedelta(minutes=6), timedelta(minutes=-6)):
        assert not is_signed([_SECRET], "id", "内容".encode(), signed([_SECRET], "id", now + away, "内容"))


def test_while_a_secret_is_replaced_both_are_good() -> None:
    now, content = datetime.now(UTC), "内容".encode()
    by_both = signed([_SECRET, _OTHER], "id", now, "内容")
    assert all(is_signed([one], "id", content, by_both) for one in (_SECRET, _OTHER))
    assert all(is_signed([_SECRET, _OTHER], "id", content, signed([one], "id", now, "内容")) for one in (_SECRET, _OTHER))
    assert not is_signed(["whsec_" + "C" * 32], "id", content, by_both)
    assert not is_signed([], "id", content, by_both)


@pytest.mark.parametrize("signature", ["", "v1", "v1,", "v1,!", "v2,{}", "{} {}", "v1,a,b", "v1," + "\N{SNOWMAN}"])
def test_a_signature_that_is_none_is_no_error(signature: str) -> None:
    headers = {**signed([_SECRET], "id", datetime.now(UTC), "a"), "webhook-signature": signature}
    assert not is_signed([_SECRET], "id", b"a", headers)
    assert not is_signed([_SECRET], "id", b"\xff", headers)
    del headers["webhook-signature"]
    assert not is_signed([_SECRET], "id", b"a", headers)
