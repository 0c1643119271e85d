"""An origin is written as browsers write it, or a page would be refused for a port that nobody typed."""

import pytest

from common.origins import origin_of


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("https://portal.example:443/base/", "https://portal.example"),
        ("http://Portal.Example:80", "http://portal.example"),
        ("https://[::1]:8443/x", "https://[::1]:8443"),
        ("https://müller.example", "https://xn--mller-kva.example"),
    ],
)
def test_an_origin_has_no_path_and_no_default_port(url: str, origin: str) -> None:
    assert origin_of(url) == origin
