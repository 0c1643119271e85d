"""Configuration of adapters: parsed strictly, described once, secrets never shown."""

from typing import Any

import pytest

from common.errors import InputError
from keymanager.adapters.config import describe_config, parse_config
from keymanager.adapters.registry import SHIPPED, adapter_class
from keymanager.adapters.resident import ResidentConfig
from keymanager.adapters.rfc import RfcConfig
from keymanager.adapters.rfc.presets import PRESETS, with_preset
from keymanager.adapters.well_known import discovery_urls

GOOD: dict[str, Any] = {
    "issuer": "https://idp.example/realms/one",
    "introspection_client_id": "portal",
    "introspection_client_secret": "hidden",
}


def test_defaults_fill_what_is_not_given() -> None:
    config = parse_config(RfcConfig, GOOD)
    assert config.basic_encoding == "form"
    assert config.grant_types == ("client_credentials", "authorization_code", "refresh_token")


def test_a_list_becomes_a_tuple() -> None:
    assert parse_config(RfcConfig, {**GOOD, "client_id_claims": ["azp"]}).client_id_claims == ("azp",)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"no_such": 1}, "no_such"),
        ({"issuer": "idp.example"}, "issuer"),
        ({"issuer": "https://user:pw@idp.example"}, "issuer"),
        ({"issuer": ""}, "issuer"),
        ({"issuer": None}, "issuer"),
        ({"revocation": "yes"}, "revocation"),
        ({"max_resources": True}, "max_resources"),
        ({"max_resources": -1}, "max_resources"),
        ({"basic_encoding": "base64"}, "basic_encoding"),
        ({"grant_types": "client_credentials"}, "grant_types"),
        ({"grant_types": []}, "grant_types"),
        ({"registration_scope": 'a "b"'}, "registration_scope"),
        ({"initial_access_token_mode": "fixed"}, "initial_access_token"),
        ({"initial_access_token": "a\nb"}, "initial_access_token"),
        ({"initial_access_token_mode": "client_credentials"}, "registration_client_id"),
        ({"empty_redirect_uris": False}, "placeholder_redirect_uri"),
        ({"scopes_api": "glewlwyd", "admin_url": "https://a.example"}, "admin_api_key"),
        ({"introspection_client_id": "", "token_validation": "introspection"}, "introspection_client_id"),
        ({"token_validation": "tokeninfo"}, "tokeninfo_endpoint"),
        ({"token_validation": "guess"}, "token_validation"),
        ({"pinned_keys": "no key"}, "pinned_keys"),
        ({"pinned_keys": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}, "pinned_keys"),
        ({"pinned_keys": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "pinned_keys"),
        ({"issuer_aliases": ["idp.example"]}, "issuer_aliases"),
        ({"issuer_aliases": ["https://a.example", "https://a.example"]}, "issuer_aliases"),
        ({"audience_rule": "any_of"}, "expected_audiences"),
        ({"accepted_algorithms": []}, "accepted_algorithms"),
        ({"accepted_algorithms": ["RS256", "none"]}, "accepted_algorithms"),
        ({"accepted_algorithms": ["HS256"]}, "accepted_algorithms"),
        ({"clock_skew_seconds": 301}, "clock_skew_seconds"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], field: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_config(RfcConfig, {**GOOD, **values})
    assert f"config.{field}" in caught.value.fields


def test_all_wrong_values_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        parse_config(RfcConfig, {"issuer": 1, "revocation": 2, "no_such": 3})
    assert set(caught.value.fields) == {"config.issuer", "config.revocation", "config.no_such"}


def test_an_error_does_not_quote_a_secret() -> None:
    with pytest.raises(InputError) as caught:
        parse_config(RfcConfig, {**GOOD, "introspection_client_secret": "hid\nden"})
    assert "hid" not in str(caught.value)


def test_secrets_do_not_show() -> None:
    config = parse_config(
        RfcConfig,
        {**GOOD, "initial_access_token_mode": "fixed", "initial_access_token": "hidden", "admin_password": "hidden"},
    )
    assert "hidden" not in repr(config)


@pytest.mark.parametrize("adapter", SHIPPED.values(), ids=list(SHIPPED))
def test_every_field_is_described_and_every_secret_is_marked(adapter: Any) -> None:
    for item in describe_config(adapter.Config):
        assert item.label
        assert not item.choices or item.default in item.choices or item.required
        if item.name.endswith(("secret", "password", "_token", "api_key")) and item.kind == "text" and not item.choices:
            assert item.secret, item.name


def test_the_resident_configuration_needs_its_token() -> None:
    with pytest.raises(InputError) as caught:
        parse_config(ResidentConfig, {"issuer": "http://127.0.0.1:8000/resident"})
    assert list(caught.value.fields) == ["config.management_token"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_has_known_fields_only(name: str) -> None:
    known = {item.name for item in describe_config(RfcConfig)}
    assert set(PRESETS[name]) <= known


def test_given_values_win_over_a_preset() -> None:
    assert with_preset("glewlwyd", {"registration_scope": "x"})["registration_scope"] == "x"
    with pytest.raises(InputError):
        with_preset("no-such", {})


def test_an_unknown_adapter_is_refused_by_name() -> None:
    with pytest.raises(InputError) as caught:
        adapter_class("no-such")
    assert "adapter" in caught.value.fields


def test_discovery_looks_before_and_after_the_issuers_path() -> None:
    assert discovery_urls("https://h.example/realms/one") == (
        "https://h.example/.well-known/oauth-authorization-server/realms/one",
        "https://h.example/realms/one/.well-known/openid-configuration",
        "https://h.example/realms/one/.well-known/oauth-authorization-server",
    )
    assert discovery_urls("https://h.example/") == (
        "https://h.example/.well-known/oauth-authorization-server",
        "https://h.example/.well-known/openid-configuration",
    )
