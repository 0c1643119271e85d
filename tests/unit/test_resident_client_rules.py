"""Rules about clients of the embedded authorization server that need no database."""

import base64

import pytest
from django.contrib.auth.hashers import identify_hasher
from hypothesis import given
from hypothesis import strategies as st
from oauth2_provider.checks import validate_bcp_configuration
from pytest_django.fixtures import Settings

from common.errors import ConfigurationError
from common.secretbox import SecretUnreadable
from keymanager.resident import toolkit_settings
from keymanager.resident.client_authentication import AmbiguousCredentials, PresentedSecret, presented_secret
from keymanager.resident.client_metadata import RegistrationRefused, parse_registration, redirect_uri_fault
from keymanager.resident.client_services import new_secret
from keymanager.resident.hashers import hash_secret, secret_matches
from keymanager.resident.management import management_token
from keymanager.resident.sealing import resident_box
from keymanager.resident.token_claims import audience_of


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com/cb",
        "https://app.example.com:8443/cb?x=1",
        "http://127.0.0.1/cb",
        "http://[::1]:8000/cb",
        "http://localhost:3000/cb",
        "com.example.app:/cb",
    ],
)
def test_a_redirect_uri_may_be_https_loopback_or_private_use(uri: str) -> None:
    assert redirect_uri_fault(uri) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://",
        "http://app.example.com/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://user@app.example.com/cb",
        "https://app.example.com/cb#f",
        "https://app.example.com/a b",
        "https://app.example.com\\@evil.example/",
        "https://*.example.com/",
        "https://app.example.com:port/",
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//app.example.com/cb",
        "app.example.com",
    ],
)
def test_any_other_redirect_uri_has_a_fault(uri: str) -> None:
    assert redirect_uri_fault(uri)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["grant_types", "redirect_uris", "scope", "client_name", "response_types", "x"]), inner
            )
        ),
        max_leaves=6,
    )
)
def test_whatever_document_arrives_is_parsed_or_refused(document: object) -> None:
    try:
        parsed = parse_registration(document)
    except RegistrationRefused as refusal:
        outcome = refusal.code
    else:
        outcome = "parsed" if parsed.grant_types else "nothing"

    assert outcome in {"parsed", "invalid_client_metadata", "invalid_redirect_uri"}


def test_repeated_scopes_and_grants_are_kept_once_in_their_order() -> None:
    parsed = parse_registration({"grant_types": ["client_credentials"] * 2, "scope": "write read write"})

    assert (parsed.grant_types, parsed.scopes) == (("client_credentials",), ("write", "read"))


@given(st.text(max_size=60))
def test_any_authorization_header_is_read_or_ignored(header: str) -> None:
    for authorization in (header, f"Basic {header}"):
        presented = presented_secret(authorization=authorization, client_id="", client_secret="")
        assert presented is None or isinstance(presented, PresentedSecret)


def test_one_request_authenticates_in_one_way() -> None:
    basic = "Basic " + base64.b64encode(b"id:secret").decode()

    with pytest.raises(AmbiguousCredentials):
        presented_secret(authorization=basic, client_id="id", client_secret="secret")
    with pytest.raises(AmbiguousCredentials):
        presented_secret(authorization=basic, client_id="other", client_secret="")
    presented = presented_secret(authorization=basic, client_id="id", client_secret="")
    assert presented == PresentedSecret(client_id="id", client_secret="secret")
    assert "secret'" not in repr(presented)


def test_a_client_secret_is_long_and_the_same_in_both_basic_encodings() -> None:
    secret = new_secret()

    assert len(secret) == 128
    assert secret.replace("-", "").replace("_", "").isalnum()


def test_equal_secrets_are_stored_differently_and_match_only_themselves() -> None:
    secret = new_secret()
    first, second = hash_secret(secret), hash_secret(secret)

    assert first != second
    assert identify_hasher(first).algorithm == toolkit_settings.CLIENT_SECRET_HASHER
    assert secret_matches(secret, first)
    assert secret_matches(secret, second)
    assert not secret_matches(secret + "x", first)
    assert not secret_matches("", first)
    assert not secret_matches("", "")


def test_the_management_token_depends_on_the_secret_key_alone(settings: Settings) -> None:
    before = management_token()
    assert before == management_token()
    assert len(before) == 43

    settings.SECRET_KEY = "another key"

    assert management_token() != before


def test_what_was_sealed_opens_with_the_key_it_was_sealed_with_also_as_a_fallback(settings: Settings) -> None:
    old = str(settings.SECRET_KEY)
    sealed = resident_box().encrypt("pem", context="c")

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "new key", [old]
    assert resident_box().decrypt(sealed, context="c") == "pem"

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(SecretUnreadable):
        resident_box().decrypt(sealed, context="c")


def test_every_rfc_9700_flag_is_on_and_the_toolkits_deployment_checks_have_nothing_to_say() -> None:
    flags = {name: value for name, value in toolkit_settings.OAUTH2_PROVIDER.items() if name.startswith("COMPLIANT_")}
    assert len(flags) == 10
    assert all(flags.values())

    assert validate_bcp_configuration(None) == []


@pytest.mark.parametrize("value", ["0", "-1", "ten", "1.5"])
def test_a_lifetime_that_is_no_positive_number_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("ARCHWAY_RESIDENT_CODE_SECONDS", value)

    with pytest.raises(ConfigurationError, match="ARCHWAY_RESIDENT_CODE_SECONDS"):
        toolkit_settings._seconds("ARCHWAY_RESIDENT_CODE_SECONDS", 60)


def test_a_token_without_resources_has_the_issuer_as_audience() -> None:
    assert audience_of([]).__class__ is str
    assert audience_of(["urn:a"]) == "urn:a"
    assert audience_of(["urn:a", "urn:b"]) == ["urn:a", "urn:b"]
