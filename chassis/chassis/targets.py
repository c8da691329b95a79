"""Where requests of ours may go: to the open internet, never into our own network unless a setting says so (SSRF)."""

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
PRIVATE = (
    "地址指向内部网络，已拒绝；请改用公网地址，确在内网的，请平台运营将其网段列入 ALLIANCE_PRIVATE_NETWORKS",
    "the address leads to a private network; refused: take a public one, or, where it is meant to be inside, have the"
    " platform's operator name its network in ALLIANCE_PRIVATE_NETWORKS",
)
"""What to say of a target that requests may not go to."""
_LABEL = re.compile(r"[^\W_](?:[\w-]{0,61}\w)?")  # of a name, also in other scripts: 例子.中国
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*", re.I)  # a host that ends in one is an IPv4 address to whoever connects (WHATWG URL)
_TRANSLATED = [ipaddress.IPv6Network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")]
"""NAT64 (RFC 6052, RFC 8215), IPv4-compatible (RFC 4291) and translated (RFC 2765): the last 32 bits are an IPv4 address."""


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet; an address mapped into IPv6 is judged by what it maps."""
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or _translated(ip)
        if inner is not None:
            return is_public(str(inner))
        if ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast


def is_allowed(address: str, networks: Sequence[Network]) -> bool:
    """Whether requests may go to an IP address: one of the open internet, or of the networks."""
    return is_public(address) or any(ipaddress.ip_address(address.split("%")[0]) in one for one in networks)


def _translated(ip: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    inside = any(ip in network for network in _TRANSLATED)
    return ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF) if inside else None


def problem(url: str, *, allow_private: bool, networks: Sequence[Network]) -> tuple[str, str] | None:
    """What is wrong with a target as it is written, in Chinese and English; where a name leads is checked when connecting."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "不是有效的网址", "this is no valid URL"
    if parts.username or parts.password:
        return "网址中不能带账号密码", "the URL can't hold a user name or password"
    schemes = ("https", "http") if allow_private else ("https",)
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        return "须为 https 网址", "it has to be an https URL"
    if not _is_host(parts.hostname):
        return (
            "网址中的主机名无效；请核对，不含空格，IPv4 地址写全四段，IPv6 地址不带 %网卡",
            "the URL's host is none; check it: no blanks, an IPv4 address in four parts, no %zone behind an IPv6 address",
        )
    if not allow_private and not all(is_allowed(one, networks) for one in _written(parts.hostname)):
        return PRIVATE
    return None


def _is_host(host: str) -> bool:
    """Whether a host is a full IPv4 address or an IPv6 one without a zone, which is of one machine alone, or may be a name."""
    if ":" in host:
        with suppress(ValueError):
            return not ipaddress.IPv6Address(host).scope_id
        return False
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(unicodedata.normalize("NFKC", labels[-1])):  # 127.1, 2130706433, 0x7f.1: what no name can be
        with suppress(ValueError):
            ipaddress.IPv4Address(host.removesuffix("."))
            return True
        return False
    return all(map(_LABEL.fullmatch, labels))


def _written(host: str) -> set[str]:
    """The IP address that a host is, as connecting reads it (127.0.0.1, 127.0.0.1., ::1); none for a name."""
    try:
        numeric = socket.getaddrinfo(host.removesuffix("."), None, flags=socket.AI_NUMERICHOST)
        return {str(one[4][0]) for one in numeric}
    except (OSError, UnicodeError):
        return set()
