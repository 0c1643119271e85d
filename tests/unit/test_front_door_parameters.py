"""How the front door reads parameters, client metadata and redirect URIs."""

from typing import Any

import pytest

from common.errors import InputError
from keymanager.front_door.authorization import same_but_for_the_port
from keymanager.front_door.client_metadata import fingerprint_of, parse_wish
from keymanager.front_door.forms import parse_parameters
from keymanager.front_door.refusals import MetadataRefused
from keymanager.front_door.token_exchange import check_exchange

CALLBACK = "https://app.example.com/callback"


def test_a_parameter_that_is_there_twice_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"^scope: "):
        parse_parameters("grant_type=client_credentials&scope=a&scope=b")


def test_a_resource_indicator_may_be_there_several_times() -> None:
    read = parse_parameters("resource=urn:a&resource=urn:b")

    assert read.pairs == (("resource", "urn:a"), ("resource", "urn:b"))


EXCHANGE = "subject_token=a.b.c&subject_token_type=urn:ietf:params:oauth:token-type:access_token"


@pytest.mark.parametrize("name", ["requested_subject", "requested_issuer", "subject_issuer", "of_a_server_to_come"])
def test_an_exchange_that_asks_for_more_than_rfc_8693_has_is_refused_by_name(name: str) -> None:
    with pytest.raises(InputError, match=rf"^{name}: "):
        check_exchange(parse_parameters(f"{EXCHANGE}&{name}=admin"))


def test_an_exchange_may_carry_all_that_rfc_8693_has() -> None:
    more = "actor_token=d&actor_token_type=t&requested_token_type=t&scope=s&audience=a&audience=b&resource=urn:r"
    check_exchange(parse_parameters(f"grant_type=g&client_id=c&client_secret=s&{EXCHANGE}&{more}"))


def test_a_parameter_without_a_value_is_absent() -> None:
    assert parse_parameters("scope=&grant_type=password").pairs == (("grant_type", "password"),)


def test_parameters_are_form_decoded_as_utf_8() -> None:
    assert parse_parameters("username=J%C3%BCrgen+L").get("username") == "Jürgen L"


@pytest.mark.parametrize("text", ["a=%ff", "a=%00b", "&".join(f"p{number}=1" for number in range(200))])
def test_parameters_that_are_not_clean_text_are_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_parameters(text)


def test_a_secret_does_not_show_in_the_representation_of_parameters() -> None:
    assert "s3cret" not in repr(parse_parameters("client_secret=s3cret"))


def test_a_registration_without_grant_types_means_the_authorization_code() -> None:
    wish = parse_wish({"redirect_uris": [CALLBACK]})

    assert (wish.grant_types, wish.response_types) == (("authorization_code",), ("code",))
    assert (wish.token_endpoint_auth_method, wish.environment) == ("client_secret_basic", "production")


def test_unknown_members_of_a_registration_are_ignored() -> None:
    assert parse_wish({"redirect_uris": [CALLBACK], "shoe_size": 44}).remarks == {}


@pytest.mark.parametrize(
    ("document", "code", "member"),
    [
        ({}, "invalid_redirect_uri", "redirect_uris"),
        ({"redirect_uris": "https://one.example"}, "invalid_redirect_uri", "redirect_uris"),
        ({"grant_types": []}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata", "grant_types"),
        ({"grant_types": [1]}, "invalid_client_metadata", "grant_types"),
        (
            {"grant_types": ["client_credentials"], "response_types": ["code"]},
            "invalid_client_metadata",
            "response_types",
        ),
        ({"redirect_uris": [CALLBACK], "response_types": ["token"]}, "invalid_client_metadata", "response_types"),
        ({"redirect_uris": [CALLBACK], "scope": 'say "hello"'}, "invalid_client_metadata", "scope"),
        ({"redirect_uris": [CALLBACK], "scope": ["read"]}, "invalid_client_metadata", "scope"),
        ({"redirect_uris": [CALLBACK], "client_name": "\ud800"}, "invalid_client_metadata", "client_name"),
        ({"redirect_uris": [CALLBACK], "environment": "moon"}, "invalid_client_metadata", "environment"),
        ({"redirect_uris": [CALLBACK], "client_name": "n" * 101}, "invalid_client_metadata", "client_name"),
        (
            {"grant_types": ["client_credentials"], "token_endpoint_auth_method": "none"},
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
        (
            {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt"},
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
    ],
)
def test_a_refused_registration_names_the_member(document: dict[str, Any], code: str, member: str) -> None:
    with pytest.raises(MetadataRefused) as caught:
        parse_wish(document)

    assert (caught.value.oauth_code, caught.value.member) == (code, member)
    assert member in caught.value.message


def test_the_order_of_members_does_not_make_another_registration() -> None:
    assert fingerprint_of({"a": 1, "b": [1, 2]}) == fingerprint_of({"b": [1, 2], "a": 1})


@pytest.mark.parametrize(
    ("asked", "registered", "same"),
    [
        ("http://127.0.0.1:49152/cb", "http://127.0.0.1/cb", True),
        ("http://[::1]:8/cb", "http://[::1]:9/cb", True),
        ("http://127.0.0.1:49152/other", "http://127.0.0.1/cb", False),
        ("http://evil@127.0.0.1:1/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1.evil.example/cb", "http://127.0.0.1/cb", False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", False),
        ("https://app.example:444/cb", "https://app.example/cb", False),
        ("http://127.0.0.1:1/cb#x", "http://127.0.0.1/cb", False),
    ],
)
def test_only_the_port_of_a_loopback_redirect_uri_may_differ(asked: str, registered: str, same: bool) -> None:
    assert same_but_for_the_port(asked, registered) is same
