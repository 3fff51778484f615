"""Addresses that are let in, and keys."""

from __future__ import annotations

import pytest

from wyoming_tts.access import AllowList, ApiKeys, parse_keys


@pytest.mark.parametrize(
    ("networks", "host", "admitted"),
    [
        ((), "203.0.113.9", True),
        (("192.168.1.0/24",), "192.168.1.77", True),
        (("192.168.1.0/24",), "192.168.2.77", False),
        (("192.168.1.77",), "192.168.1.77", True),
        (("192.168.1.0/24",), "::ffff:192.168.1.77", True),
        (("192.168.1.5/24",), "192.168.1.77", True),
        (("fd00::/8", "10.0.0.0/8"), "fd12::1", True),
        (("fe80::/10",), "fe80::1%eth0", True),
        (("10.0.0.0/8",), "fd12::1", False),
        (("10.0.0.0/8",), "nonsense", False),
        (("10.0.0.0/8",), None, True),
    ],
)
def test_addresses(networks: tuple[str, ...], host: str | None, admitted: bool) -> None:
    """Networks, single addresses, IPv4 on a socket for both, link-local ones with their zone."""
    assert AllowList.of(networks).admits(host) is admitted


def test_a_wrong_network_is_an_error() -> None:
    """It is not passed over: somebody would think to be protected."""
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        AllowList.of(("10.0.0.0/99",))


def test_keys_have_names() -> None:
    """From a variable or a file, with remarks; a key is found whatever stands before it."""
    keys = ApiKeys(parse_keys("# ours\nphone = abc=1\nlaptop=def\n\n"))
    assert (keys.name_of("abc=1"), keys.name_of("def"), keys.name_of("ab"), keys.name_of("")) == (
        "phone",
        "laptop",
        None,
        None,
    )
    assert parse_keys("a=1,b=2") == {"a": "1", "b": "2"}
    assert ApiKeys(parse_keys("lonely")).name_of("lonely") == "key-1"
    assert not ApiKeys({})
    assert ApiKeys({"ö": "schlüssel\udcff"}).name_of("schlüssel\udcff") == "ö"


@pytest.mark.parametrize("text", ["a=1\na=2", "=1", "a="])
def test_wrong_keys_are_not_shown(text: str) -> None:
    """A message names the entry and never what stands in it."""
    with pytest.raises(ValueError, match=r"entry [12]") as caught:
        parse_keys(text)
    assert "1" not in str(caught.value).replace("entry 1", "")
    with pytest.raises(ValueError, match="empty"):
        ApiKeys({"phone": " "})
