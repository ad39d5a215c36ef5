"""What the guard on outgoing HTTP refuses before anything is connected."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.config import Settings
from app.core.http_guard import UrlRefusedError, check_url, is_public

# --- forms of URLs -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/x", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("gopher://example.com", "scheme"),
        ("//example.com", "scheme"),
        ("", "scheme"),
        ("http://user@example.com/", "credentials"),
        ("http://user:secret@example.com/", "credentials"),
        ("http://example.com:22/", "port"),
        ("http://example.com:6379/", "port"),
        ("https://example.com:0/", "port"),
        ("http://", "host"),
        ("http:///path", "host"),
        ("http://example.com./", "host"),
        ("http://127.0.0.1./", "host"),
        ("http://2130706433/", "host"),
        ("http://134744072/", "host"),
        ("http://0x7f000001/", "host"),
        ("http://0x7f.0.0.1/", "host"),
        ("http://127.1/", "host"),
        ("http://127.0.1/", "host"),
        ("http://017700000001/", "host"),
        ("http://0177.0.0.1/", "invalid"),
        ("http://127.0.0.1%00.example.com/", "host"),
        ("http://exa mple.com/", "host"),
        ("http://-example.com/", "host"),
        ("http://a..b/", "host"),
        ("http://[fe80::1%25eth0]/", "host"),
        ("http://[fe80::1%eth0]/", "host"),
        ("http://[::1/", "invalid"),
        ("http://example.com\r\nX: y/", "invalid"),
        ("http://example.com:99999999999/", "port"),
        ("http://example.com:x/", "invalid"),
    ],
)
def test_refused_forms(url: str, reason: str) -> None:
    with pytest.raises(UrlRefusedError) as refused:
        check_url(url, Settings())
    assert refused.value.params["reason"] == reason
    assert (refused.value.status, refused.value.code) == (422, "core.url_refused")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://shop.example.com/feed.csv?key=1",
        "https://Example.COM:8443/",
        "http://example.com:8080/",
        "https://münchen.example/",
        "https://8.8.8.8/",
        "https://[2606:4700::1]/",
        "https://a_b.example.com/",
    ],
)
def test_accepted_forms(url: str) -> None:
    assert check_url(url, Settings()).scheme in ("http", "https")


# --- addresses -----------------------------------------------------------------------------

PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.9",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.7", "203.0.113.5", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "2606:4700::1%eth0", "fec0::1", "ff02::1",
    "5f00::1",
    "", "example", "127.1", "2130706433", "0x7f000001",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.32.0.1", "2606:4700::1", "2a00:1450::5"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_that_python_calls_special_is_public(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = not address.is_global or address.is_multicast or address.is_reserved or address.is_link_local
    assert not (is_public(str(address)) and special)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_is_public_in_ipv6_clothes(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    for prefix in (0, 0xFFFF << 32, 0x64FF9B << 96, 0x2002 << 112 | number << 80):
        assert not is_public(str(ipaddress.IPv6Address(prefix | number)))
