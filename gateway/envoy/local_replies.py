"""Answers that the gateway gives by itself, as RFC 9457 problem documents.

Envoy takes the first mapper that fits. Refusals by the validator carry its own words and come before everything else.
"""

from http import HTTPStatus

from common.gateway_contract import ENVIRONMENT_HEADER, REFERENCE_HEADER, UNAVAILABLE_ON_THE_WIRE
from common.problem import CONTENT_TYPE, REFUSALS_PAGE, problem_type
from gateway.envoy.protobuf_json import Json, Message

# Stands for "the validator is down, slow or broken" between the filter and the mapper; a caller never sees it.
VALIDATOR_FAILED = HTTPStatus.NETWORK_AUTHENTICATION_REQUIRED

# Also in the access log. A request that Envoy cannot read has no id yet, but it came at a time, on a connection.
GATEWAY_REFERENCE = "g-%START_TIME(%s%3f)%-%CONNECTION_ID%"

VALIDATOR_UNAVAILABLE = (503, "validator_unavailable", "The call could not be validated")
NO_ENDPOINT = (403, "no_endpoint_for_environment", "The API has no backend for this kind of key")
BY_STATUS = (
    (400, "bad_request", "The request is not one that the gateway reads without doubt"),
    (403, "upgrade_not_supported", "The gateway does not switch protocols"),
    (404, "api_not_found", "There is no API here"),
    (408, "request_timeout", "The request took too long to arrive"),
    (413, "request_too_large", "The request is too large"),
    (426, "http_version_not_supported", "The gateway speaks HTTP/1.1"),
    (431, "headers_too_large", "The request's headers are too large or too many"),
    (501, "transfer_encoding_not_supported", "The gateway reads bodies with a length or in chunks only"),
    (502, "backend_protocol_error", "The API's backend answered something that is not HTTP"),
    (503, "backend_unavailable", "The API's backend does not answer"),
    (504, "backend_timeout", "The API's backend did not answer in time"),
)
GATEWAY_CODES = (VALIDATOR_UNAVAILABLE, NO_ENDPOINT, *BY_STATUS)

_BY_VALIDATOR: Message = {"response_flag_filter": {"flags": ["UAEX"]}}


def local_reply_config(*, portal_url: str) -> Message:
    """Every answer of the gateway's own, with a stable ``code`` that the portal at this address explains."""
    unavailable = _problem(portal_url, *VALIDATOR_UNAVAILABLE, headers=[_header("retry-after", "2")])
    environment: Message = {"header_filter": {"header": {"name": ENVIRONMENT_HEADER, "present_match": True}}}
    mappers: list[Json] = [
        {**unavailable, "filter": _all(_BY_VALIDATOR, _status(VALIDATOR_FAILED))},
        # Neither an allowance (200) nor a refusal: the caller must not read it as its own success or redirect.
        {**unavailable, "filter": _all(_BY_VALIDATOR, _status(399, "LE"))},
        {"filter": _all(_BY_VALIDATOR, _status(UNAVAILABLE_ON_THE_WIRE)), "status_code": 503},
        {"filter": _BY_VALIDATOR},
        {
            **_problem(portal_url, *NO_ENDPOINT),
            "filter": _all(environment, _status(403)),
        },
        *(
            {**_problem(portal_url, status, code, title), "filter": _status(status)}
            for status, code, title in BY_STATUS
        ),
    ]
    return {"mappers": mappers}


def _problem(portal_url: str, status: int, code: str, title: str, *, headers: list[Json] | None = None) -> Message:
    members: Message = {
        # Envoy reads % as the start of a command.
        "type": problem_type(code, portal_url=portal_url, page=REFUSALS_PAGE).replace("%", "%%"),
        "title": title,
        "status": status,
        "code": code,
        "request_id": "%REQ(X-REQUEST-ID)%",
        "reference": GATEWAY_REFERENCE,
    }
    return {
        "status_code": status,
        "body_format_override": {"json_format": members, "content_type": CONTENT_TYPE},
        "headers_to_add": [_header(REFERENCE_HEADER, GATEWAY_REFERENCE), *(headers or [])],
    }


def _status(status: int, comparison: str = "EQ") -> Message:
    # Envoy wants a runtime key for every threshold; nothing sets it.
    value: Message = {"default_value": int(status), "runtime_key": "archway.never_set"}
    return {"status_code_filter": {"comparison": {"op": comparison, "value": value}}}


def _all(*filters: Message) -> Message:
    return {"and_filter": {"filters": [*filters]}}


def _header(name: str, value: str) -> Message:
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
