"""The listener: how requests are read, cleaned and put before the validator."""

from common.gateway_contract import (
    BACKEND_JWT_HEADER,
    CHECK_EXACTLY,
    CLIENT_HEADERS,
    ENVIRONMENT_HEADER,
    OVERRIDE_HEADERS,
    RESERVED_HEADERS,
    RESERVED_PREFIX,
)
from gateway.envoy.clusters import VALIDATOR_CLUSTER
from gateway.envoy.declarations import GatewaySettings
from gateway.envoy.local_replies import GATEWAY_REFERENCE, VALIDATOR_FAILED, local_reply_config
from gateway.envoy.protobuf_json import Json, Message, extension, names, seconds, socket_address, typed
from gateway.envoy.routes import ROUTES_NAME

LISTENER_NAME = "gateway"
STAT_PREFIX = "gateway"

_BUFFER_BYTES = 65_536
_MAX_HEADERS_KB = 32
_MAX_HEADERS = 100


def listener(settings: GatewaySettings, *, routes_file: str) -> Message:
    """The one listener. ``routes_file``: where the route table is read from and watched."""
    return typed(
        "envoy.config.listener.v3.Listener",
        name=LISTENER_NAME,
        address=socket_address(settings.listen_host, settings.listen_port),
        per_connection_buffer_limit_bytes=_BUFFER_BYTES,
        filter_chains=[
            {
                "filters": [
                    extension("envoy.filters.network.http_connection_manager", _connections(settings, routes_file))
                ]
            }
        ],
    )


def _connections(settings: GatewaySettings, routes_file: str) -> Message:
    idle = seconds(settings.idle_seconds)
    manager = typed(
        "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        stat_prefix=STAT_PREFIX,
        codec_type="HTTP1",
        rds={
            "route_config_name": ROUTES_NAME,
            "config_source": {"path_config_source": {"path": routes_file}, "resource_api_version": "V3"},
        },
        # One reading of the path, for the validator, the routes and the backend.
        normalize_path=True,
        merge_slashes=True,
        path_with_escaped_slashes_action="REJECT_REQUEST",
        early_header_mutation_extensions=[
            extension("envoy.http.early_header_mutation.header_mutation", _strip_headers())
        ],
        common_http_protocol_options={
            "idle_timeout": idle,
            "max_headers_count": _MAX_HEADERS,
            # CGI and WSGI read X_JWT_Assertion and X-JWT-Assertion as the same variable.
            "headers_with_underscores_action": "DROP_HEADER",
        },
        max_request_headers_kb=_MAX_HEADERS_KB,
        request_headers_timeout=seconds(10),
        stream_idle_timeout=idle,
        use_remote_address=True,
        xff_num_trusted_hops=settings.trusted_proxies,
        preserve_external_request_id=True,
        server_header_transformation="PASS_THROUGH",
        local_reply_config=local_reply_config(portal_url=settings.portal_url),
        http_filters=[
            extension("envoy.filters.http.cors", typed("envoy.extensions.filters.http.cors.v3.Cors")),
            extension("envoy.filters.http.ext_authz", _authorization(settings)),
            extension(
                "envoy.filters.http.router",
                typed(
                    "envoy.extensions.filters.http.router.v3.Router",
                    suppress_envoy_headers=True,
                    dynamic_stats=False,  # the bootstrap keeps none of them
                ),
            ),
        ],
    )
    if settings.access_log is not None:
        manager["access_log"] = [extension("envoy.access_loggers.file", _access_log(str(settings.access_log)))]
    return manager


def _strip_headers() -> Message:
    named: list[Json] = [{"remove": name} for name in (*RESERVED_HEADERS, *OVERRIDE_HEADERS)]
    removals: list[Json] = [
        *named,
        {"remove_on_match": {"key_matcher": {"prefix": RESERVED_PREFIX, "ignore_case": True}}},
        {"remove_on_match": {"key_matcher": {"prefix": "x-envoy-", "ignore_case": True}}},
    ]
    return typed("envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation", mutations=removals)


def _authorization(settings: GatewaySettings) -> Message:
    return typed(
        "envoy.extensions.filters.http.ext_authz.v3.ExtAuthz",
        transport_api_version="V3",
        failure_mode_allow=False,
        status_on_error={"code": int(VALIDATOR_FAILED)},
        clear_route_cache=True,
        allowed_headers=names("authorization", *settings.validator_headers),
        http_service={
            "server_uri": {
                "uri": f"http://{settings.validator_host}:{settings.validator_port}",
                "cluster": VALIDATOR_CLUSTER,
                "timeout": seconds(settings.validator_timeout_ms / 1000),
            },
            "path_prefix": CHECK_EXACTLY,
            # A validator that was just replaced leaves connections that are closed at their next use.
            "retry_policy": {"retry_on": "connect-failure,reset", "num_retries": 1},
            "authorization_response": {
                "allowed_upstream_headers": names(ENVIRONMENT_HEADER, BACKEND_JWT_HEADER),
                "allowed_client_headers": names(*CLIENT_HEADERS),
            },
        },
    )


def _access_log(path: str) -> Message:
    """No headers of the caller but its request id, and no query: both can hold secrets."""
    members: Message = {
        "time": "%START_TIME%",
        "method": "%REQ(:METHOD)%",
        "path": "%PATH(NQ:PATH)%",
        "status": "%RESPONSE_CODE%",
        "flags": "%RESPONSE_FLAGS%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "milliseconds": "%DURATION%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "reference": GATEWAY_REFERENCE,
        "upstream": "%UPSTREAM_CLUSTER%",
    }
    return typed(
        "envoy.extensions.access_loggers.file.v3.FileAccessLog", path=path, log_format={"json_format": members}
    )
