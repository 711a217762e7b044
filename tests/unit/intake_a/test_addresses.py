"""Addresses: canonical text, and which could be a client's on the open Internet."""

from __future__ import annotations

import re
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis.strategies import integers, ip_addresses, text

from quorum.intake.addresses import CLOSED_IPV4, IPV4, canonical_address, first_public, is_public, split_list


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:51234", "198.51.100.7"),
        ('"198.51.100.7"', "198.51.100.7"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[fe80::1%25en0]:80", "fe80::1"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("::FFFF:c633:6407", "198.51.100.7"),
        ("::1", "::1"),
        ("256.1.1.1", None),
        ("1.2.3", None),
        ("1.2.3.4.5", None),
        ("010.1.1.1", None),
        ("1.2.3.4:", None),
        ("１.2.3.4", None),
        ("example.com", None),
        ("unknown", None),
        (":::", None),
        ("12345::", None),
        ("-", None),
        ("", None),
        ("1" * 10_000, None),
    ],
)
def test_canonical_address(written: str, canonical: str | None) -> None:
    assert canonical_address(written) == canonical


@given(ip_addresses())
def test_every_address_is_its_own_canonical_text(address: object) -> None:
    mapped = getattr(address, "ipv4_mapped", None)
    assert canonical_address(str(address)) == str(mapped or address)


@given(text())
def test_no_text_raises(written: str) -> None:
    canonical_address(written)
    first_public(split_list(written))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("192.0.2.1", True),  # documentation stands for public
        ("203.0.113.9", True),
        ("10.0.0.1", False),
        ("172.15.0.1", True),
        ("172.16.0.1", False),
        ("172.31.255.255", False),
        ("172.32.0.1", True),
        ("192.168.1.1", False),
        ("100.63.0.1", True),
        ("100.64.0.1", False),
        ("100.127.255.255", False),
        ("100.128.0.1", True),
        ("169.254.1.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("223.255.255.255", True),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("2001:db8::1", True),
        ("2400:4050::1", True),
        ("fd00::1", False),
        ("fe80::1", False),
        ("::1", False),
        ("ff02::1", False),
    ],
)
def test_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@given(integers(0, 2**32 - 1))
def test_closed_addresses_are_those_that_the_registry_closes(number: int) -> None:
    address = IPv4Address(number)
    shared = number >> 22 == 0x64400000 >> 22
    closed = (
        shared
        or number >> 24 in (0, 10, 127)
        or number >> 28 >= 0xE
        or number >> 20 == 0xAC1
        or number >> 16 in (0xC0A8, 0xA9FE)
    )
    assert re.fullmatch(IPV4, str(address))
    assert bool(re.fullmatch(CLOSED_IPV4, str(address))) is closed


def test_the_first_public_address_of_a_list() -> None:
    assert first_public(split_list("unknown, 10.0.0.1,203.0.113.9 198.51.100.7")) == "203.0.113.9"
    assert first_public(split_list("10.0.0.1, fd00::1")) is None
    assert first_public([]) is None
