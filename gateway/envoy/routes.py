"""The route table: which upstream a call goes to, after the validator has named the environment.

Routes stand in a tree by the first segment of the path, so that a call is not compared with a thousand prefixes.
Within one first segment the prefix with the most segments comes first, as in ``common.paths.PrefixTable``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from common.errors import ConfigurationError
from common.gateway_contract import BACKEND_JWT_HEADER, ENVIRONMENT_HEADER, PRODUCTION, REFERENCE_HEADER, SANDBOX
from gateway.envoy.clusters import cluster_name
from gateway.envoy.declarations import GatewayApi, GatewaySettings, Upstream
from gateway.envoy.protobuf_json import Json, Message, extension, seconds, typed

ROUTES_NAME = "apis"

_NOWHERE = "no-such-api"

_CORS_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
# "*" stands for the headers that an API's own operations take; it never covers Authorization (Fetch standard 3.3.3).
_CORS_HEADERS = (
    "*, accept, accept-language, authorization, content-language, content-type, idempotency-key, if-match, "
    "if-modified-since, if-none-match, traceparent, x-request-id"
)
_CORS_EXPOSED = "*, content-location, etag, link, location, retry-after, www-authenticate, x-archway-reference"
_ENVOY_NOISE = (
    "x-envoy-attempt-count",
    "x-envoy-decorator-operation",
    "x-envoy-expected-rq-timeout-ms",
    "x-envoy-external-address",
    "x-envoy-internal",
    "x-envoy-original-path",
    "x-forwarded-client-cert",
)
# CORS is the gateway's word: a backend's own headers would open what the gateway keeps closed, or double it.
_FROM_BACKEND = (
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "access-control-allow-private-network",
    "server",
    "x-envoy-upstream-service-time",
    "x-envoy-overloaded",
    ENVIRONMENT_HEADER,
    BACKEND_JWT_HEADER,
    REFERENCE_HEADER,
)


def route_configuration(settings: GatewaySettings, apis: Sequence[GatewayApi]) -> Message:
    """The whole route table. Raises ``ConfigurationError`` when two APIs claim one prefix."""
    by_first_segment: dict[str, list[GatewayApi]] = defaultdict(list)
    taken: set[str] = set()
    for api in apis:
        if api.prefix in taken:
            raise ConfigurationError(f"Two API versions claim the path prefix {api.prefix}.")
        taken.add(api.prefix)
        by_first_segment[f"/{api.prefix.split('/')[1]}/"].append(api)
    host: Message = {
        "name": "gateway",
        "domains": ["*"],
        "request_headers_to_remove": [ENVIRONMENT_HEADER, REFERENCE_HEADER, *_ENVOY_NOISE],
        "response_headers_to_remove": [*_FROM_BACKEND],
    }
    if by_first_segment:
        host["matcher"] = _tree(by_first_segment, settings.idle_seconds)
    else:
        host["routes"] = [_unknown()]
    if settings.cors_origins:
        vary: Message = {"header": {"key": "vary", "value": "origin"}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}
        host["response_headers_to_add"] = [vary]
        host["typed_per_filter_config"] = {"envoy.filters.http.cors": _cors(settings.cors_origins)}
    return typed(
        "envoy.config.route.v3.RouteConfiguration",
        name=ROUTES_NAME,
        virtual_hosts=[host],
        # A cluster that is still resolving its name must not block the routes of all other APIs.
        validate_clusters=False,
    )


def _tree(by_first_segment: dict[str, list[GatewayApi]], idle_seconds: int) -> Message:
    branches: Message = {
        segment: {"action": extension("routes", _route_list(by_first_segment[segment], idle_seconds))}
        for segment in sorted(by_first_segment)
    }
    path = typed("envoy.type.matcher.v3.HttpRequestHeaderMatchInput", header_name=":path")
    return {
        "matcher_tree": {"input": extension("path", path), "prefix_match_map": {"map": branches}},
        "on_no_match": {"action": extension("unknown", typed("envoy.config.route.v3.Route", **_unknown()))},
    }


def _route_list(apis: Sequence[GatewayApi], idle_seconds: int) -> Message:
    routes: list[Json] = []
    for api in sorted(apis, key=lambda each: (-each.prefix.count("/"), each.prefix)):
        routes += [_route(api, PRODUCTION, api.production), _route(api, SANDBOX, api.sandbox)]
    return typed("envoy.config.route.v3.RouteList", routes=[*routes, _unknown(apis, idle_seconds)])


def _unknown(apis: Sequence[GatewayApi] = (), idle_seconds: int = 0) -> Message:
    """No API, or no environment named: what the validator must not let through ends here, with 404.

    Before the validator answers, every call stands on this route. It leads to a cluster that never exists, and is not
    a direct response, because the CORS filter looks away from calls that will not be forwarded. Envoy takes the
    longest silence from this first route too, so that it is the one of the most patient of ``apis``.
    """
    action: Message = {"cluster": _NOWHERE, "cluster_not_found_response_code": "NOT_FOUND"}
    longest = max((api.timeout_seconds for api in apis), default=0)
    if longest > idle_seconds:
        action["idle_timeout"] = seconds(longest)
    return {"match": {"prefix": "/"}, "route": action}


def _route(api: GatewayApi, environment: str, upstream: Upstream | None) -> Message:
    named: Message = {"name": ENVIRONMENT_HEADER, "string_match": {"exact": environment}}
    route: Message = {"match": {"path_separated_prefix": api.prefix, "headers": [named]}}
    if upstream is None:
        route["direct_response"] = {"status": 403}
        return route
    action: Message = {
        "cluster": cluster_name(upstream),
        "timeout": seconds(api.timeout_seconds),
        "host_rewrite_literal": upstream.authority,
        # Nothing of the call has reached the backend in these cases, so that trying again is safe.
        "retry_policy": {"retry_on": "connect-failure,reset-before-request", "num_retries": 1},
    }
    if upstream.base:
        action["prefix_rewrite"] = upstream.base
    else:
        # prefix_rewrite "/" would leave "//rest", and an empty one means "do not rewrite".
        action["regex_rewrite"] = {"pattern": {"regex": f"^{re.escape(api.prefix)}/?"}, "substitution": "/"}
    route["route"] = action
    if not api.forward_token:
        route["request_headers_to_remove"] = ["authorization"]
    return route


def _cors(origins: Iterable[str]) -> Message:
    return typed(
        "envoy.extensions.filters.http.cors.v3.CorsPolicy",
        allow_origin_string_match=[{"exact": origin} for origin in origins],
        allow_methods=_CORS_METHODS,
        allow_headers=_CORS_HEADERS,
        expose_headers=_CORS_EXPOSED,
        max_age="600",
        allow_credentials=False,
    )
