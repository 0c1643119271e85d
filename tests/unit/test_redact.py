import io
import logging
import time

import pytest

from common.redact import MASK, RedactingFilter, is_secret_name, redact_body, redact_mapping, redact_pairs, redact_text

SECRET = "s3cr3t-value-0123456789"


@pytest.mark.parametrize(
    "name",
    [
        "client_secret", "access_token", "refresh_token", "registration_access_token", "token", "password",
        "admin_password", "client_assertion", "code", "code_verifier", "device_code", "Authorization",
        "Proxy-Authorization", "Cookie", "Set-Cookie", "X-JWT-Assertion", "api_key", "initial_access_token",
    ],
)  # fmt: skip
def test_a_name_that_speaks_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "client_id", "token_endpoint", "token_endpoint_auth_method", "token_type", "token_type_hint", "scope", "key",
        "client_secret_expires_at", "registration_client_uri", "grant_types", "code_challenge", "status_code",
        "token_endpoint_auth_methods_supported", "subject_token_type", "jwks_uri", "access_token_format",
    ],
)  # fmt: skip
def test_a_name_that_holds_no_secret_is_left(name: str) -> None:
    assert not is_secret_name(name)


def test_a_mapping_is_redacted_in_depth_and_not_changed() -> None:
    source = {"client_id": "c", "nested": [{"client_secret": SECRET, "error": f"token={SECRET}"}], "token": ""}
    clean = redact_mapping(source)
    assert SECRET not in repr(clean)
    assert clean["client_id"] == "c"
    assert clean["token"] == ""
    assert SECRET in repr(source)


def test_headers_lose_their_credentials() -> None:
    assert redact_pairs([("Authorization", f"Bearer {SECRET}"), ("Accept", "x")]) == (
        ("Authorization", MASK),
        ("Accept", "x"),
    )


@pytest.mark.parametrize(
    "text",
    [
        f"POST /token grant_type=x&client_secret={SECRET}&scope=a",
        f'answer {{"access_token": "{SECRET}", "scope": "a"}} scope=a',
        f"{{'refresh_token': '{SECRET}'}} scope=a",
        f"Authorization: Basic {SECRET} scope=a",
        f"sent Bearer {SECRET} scope=a",
        f"https://user:{SECRET}@host/path?scope=a",
        f"https://host/cb?code={SECRET}&scope=a",
        f"saw eyJhbGciOiJSUzI1NiJ9.{SECRET}.{SECRET} scope=a",
        f"Cookie: sid={SECRET}\nscope=a",
    ],
)
def test_free_text_loses_the_secret_and_keeps_the_rest(text: str) -> None:
    clean = redact_text(text)
    assert SECRET not in clean
    assert "scope" in clean


def test_a_challenge_is_not_mistaken_for_credentials() -> None:
    assert redact_text('WWW-Authenticate: Bearer realm="archway"') == 'WWW-Authenticate: Bearer realm="archway"'


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (f"grant_type=password&password={SECRET}", "application/x-www-form-urlencoded"),
        (f'{{"a": {{"client_secret": "{SECRET}"}}}}', "application/json"),
        (f'{{"client_secret": "{SECRET}"', "application/json"),
        (f"<p>client_secret={SECRET}</p>", "text/html"),
    ],
)
def test_a_recorded_body_has_no_secret(body: str, content_type: str) -> None:
    assert SECRET not in redact_body(body.encode(), content_type)


def test_a_long_body_is_cut() -> None:
    assert len(redact_body(b"x y " * 5000, "text/plain")) < 4100


def test_a_log_line_its_arguments_and_its_traceback_leave_without_secrets() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter())
    logger = logging.getLogger("test.redact")
    logger.propagate = False
    logger.addHandler(handler)
    try:
        raise ValueError(f"client_secret={SECRET}")
    except ValueError:
        logger.exception("failed for %s with token=%s", "client-1", SECRET)
    written = stream.getvalue()
    assert "client-1" in written
    assert "ValueError" in written
    assert SECRET not in written


@pytest.mark.parametrize(
    "piece",
    ["a", "a.", "é", "a=", "eyJaaaaaa-", "eyJaaaaaa.", "-eyJaaaaaa.b", "a://:", "://", "a:", ":", '"a":"', "'a':", '"a',
     '"a" ', "\\", "Bearer ", "a\n", "a: \n", " ", "\n"],
)  # fmt: skip
def test_no_text_costs_more_than_its_length(piece: str) -> None:
    texts = [head + piece * (200_000 // len(piece)) for head in ("", "http://", "a", '"a":"', "Bearer ")]
    started = time.process_time()
    for text in texts:
        redact_text(text)
    # A million characters; where the cost grows with the square this takes minutes.
    assert time.process_time() - started < 8


@pytest.mark.parametrize("before", ["", "-", "a-", "host.example.", "x=", "/path/", "(", "  "])
def test_a_jwt_is_found_whatever_stands_before_it(before: str) -> None:
    assert "c2lnbmF0dXJl" not in redact_text(f"{before}eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl")


@pytest.mark.parametrize("before", ["", "1", "-", "--", "a.", "x_", " "])
def test_a_pair_and_user_info_are_found_whatever_stands_before_them(before: str) -> None:
    assert SECRET not in redact_text(f"{before}client_secret={SECRET}")
    assert SECRET not in redact_text(f"{before}https://user:{SECRET}@host/")
    assert SECRET not in redact_text(f"{before}https://:{SECRET}@host/")
