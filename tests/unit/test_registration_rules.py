"""What a client may be asked to be."""

import pytest

from common.errors import InputError
from keymanager.registrations.rules import (
    GRANT_TYPES,
    check_auth_method,
    check_environment,
    check_grant_types,
    check_redirect_uris,
    check_scopes,
)


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/callback",
        "https://app.example.com:8443/callback?next=/a",
        "http://127.0.0.1:3000/callback",
        "http://localhost/callback",
        "http://[::1]:3000/callback",
    ],
)
def test_https_and_loopback_redirect_uris_are_accepted(uri: str) -> None:
    assert check_redirect_uris([uri, uri], grant_types=["authorization_code"]) == [uri]


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "/callback",
        "http://app.example.com/callback",
        "http://127.0.0.1.example.com/",
        "https://app.example.com/#part",
        "https://app.example.com/#",
        "https://user:pass@app.example.com/",
        "https://*.example.com/",
        "https://app.example.com:0/",
        "https://app.example.com:port/",
        "https:///callback",
        "javascript:alert(1)",
        "custom.scheme:/callback",
        "https://app.example.com/a b",
        "https://app.example.com/\n",
        "https://äpp.example.com/",
        "https://app.example.com/" + "a" * 2000,
    ],
)
def test_other_redirect_uris_are_refused_by_name(uri: str) -> None:
    with pytest.raises(InputError) as caught:
        check_redirect_uris([uri], grant_types=["authorization_code"])
    assert list(caught.value.fields) == ["redirect_uris"]


def test_the_authorization_code_grant_needs_a_redirect_uri() -> None:
    with pytest.raises(InputError):
        check_redirect_uris([], grant_types=["authorization_code"])
    assert check_redirect_uris([], grant_types=["client_credentials"]) == []


@pytest.mark.parametrize("grant_types", [[], ["implicit"], ["password"], ["refresh_token"]])
def test_grants_that_are_unknown_missing_or_not_offered_are_refused_by_name(grant_types: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        check_grant_types(grant_types, offered={"client_credentials", "authorization_code", "refresh_token"})
    assert list(caught.value.fields) == ["grant_types"]


def test_grants_are_kept_in_order_without_repeats() -> None:
    wanted = ["refresh_token", "authorization_code", "refresh_token"]
    assert check_grant_types(wanted, offered=GRANT_TYPES) == ["refresh_token", "authorization_code"]


def test_a_client_without_a_secret_cannot_act_for_itself() -> None:
    with pytest.raises(InputError):
        check_auth_method("none", grant_types=["client_credentials"])
    assert check_auth_method("none", grant_types=["authorization_code"]) == "none"
    with pytest.raises(InputError):
        check_auth_method("private_key_jwt", grant_types=["client_credentials"])


def test_environments_are_production_and_sandbox() -> None:
    assert check_environment("sandbox") == "sandbox"
    with pytest.raises(InputError):
        check_environment("staging")


def test_scopes_are_single_tokens() -> None:
    assert check_scopes(["b", "a", "b"]) == ["a", "b"]
    with pytest.raises(InputError) as caught:
        check_scopes(["a b"])
    assert list(caught.value.fields) == ["scopes"]


def test_scopes_are_as_long_as_those_of_an_api_at_most() -> None:
    assert check_scopes(["a" * 200]) == ["a" * 200]
    with pytest.raises(InputError) as caught:
        check_scopes(["a" * 201])
    assert list(caught.value.fields) == ["scopes"]
