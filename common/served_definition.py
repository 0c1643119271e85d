"""The definition that the store serves: every address in it is the gateway's or the portal's."""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

_Object = dict[str, Any]
_Change = Callable[[_Object], _Object]
_METHOD_KEYS: Final = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


def with_gateway_urls(
    document: Mapping[str, Any],
    production_url: str,
    sandbox_url: str | None,
    token_url: str,
    *,
    authorization_url: str | None = None,
) -> dict[str, Any]:
    """A copy of an OpenAPI document whose servers are the gateway's and whose OAuth endpoints are the portal's.

    All URLs are absolute, but for ``token_url`` and ``authorization_url``, which may be relative references (RFC 3986
    section 4.2). ``authorization_url`` is ``authorize`` beside the token endpoint when it is not given. OpenAPI 2.0
    knows one address only: there the sandbox is ``x-sandbox-url``. The input is not changed; parts that are the same
    are shared with it, so the result is for serialising, not for editing.
    """
    endpoints = _Endpoints(token_url, authorization_url or urljoin(token_url, "authorize"))
    if "swagger" in document:
        return _with_host(dict(document), production_url, sandbox_url, endpoints)
    result = {key: value for key, value in document.items() if key != "servers"}
    result["servers"] = [{"url": production_url, "description": "Production"}]
    if sandbox_url:
        result["servers"].append({"url": sandbox_url, "description": "Sandbox"})
    _change_each(result, "paths", _path_item)
    _change_each(result, "webhooks", _path_item)
    if isinstance(result.get("components"), dict):
        components = result["components"] = dict(result["components"])
        _change_each(components, "pathItems", _path_item)
        _change_each(components, "callbacks", _callback)
        _change_each(components, "responses", _response)
        _change_each(components, "links", _link)
        _change_each(components, "securitySchemes", endpoints.in_scheme)
    return result


class _Endpoints:
    """The portal's OAuth endpoints, put into security schemes."""

    def __init__(self, token_url: str, authorization_url: str) -> None:
        self._urls = {"tokenUrl": token_url, "refreshUrl": token_url, "authorizationUrl": authorization_url}
        self._metadata = urljoin(token_url, "/.well-known/oauth-authorization-server")

    def in_scheme(self, scheme: _Object) -> _Object:
        """The scheme with the portal's endpoints wherever it had an identity provider's."""
        changed = self._in_flow(scheme)
        if scheme.get("type") == "oauth2":
            _change_each(changed, "flows", self._in_flow)
        if scheme.get("type") == "openIdConnect":
            changed["openIdConnectUrl"] = self._metadata
        return changed

    def _in_flow(self, flow: _Object) -> _Object:
        return {key: self._urls.get(key, value) for key, value in flow.items()}


def _with_host(result: _Object, production_url: str, sandbox_url: str | None, endpoints: _Endpoints) -> _Object:
    parts = urlsplit(production_url)
    result.pop("x-sandbox-url", None)
    result.update(host=parts.netloc, basePath=parts.path.rstrip("/") or "/", schemes=[parts.scheme])
    if sandbox_url:
        result["x-sandbox-url"] = sandbox_url
    _change_each(result, "paths", _path_item)
    _change_each(result, "securityDefinitions", endpoints.in_scheme)
    return result


def _change_each(holder: _Object, key: str, change: _Change) -> None:
    """Replace every mapping in the mapping at ``key`` by what ``change`` makes of it; extensions stay."""
    if isinstance(members := holder.get(key), dict):
        holder[key] = {
            name: change(value) if isinstance(value, dict) and not name.startswith("x-") else value
            for name, value in members.items()
        }


def _path_item(item: _Object) -> _Object:
    return {
        key: _operation(value) if key in _METHOD_KEYS and isinstance(value, dict) else value
        for key, value in item.items()
        if key != "servers"
    }


def _operation(operation: _Object) -> _Object:
    changed = {key: value for key, value in operation.items() if key not in {"servers", "schemes"}}
    _change_each(changed, "callbacks", _callback)
    _change_each(changed, "responses", _response)
    return changed


def _callback(callback: _Object) -> _Object:
    return {key: _path_item(value) if isinstance(value, dict) else value for key, value in callback.items()}


def _response(response: _Object) -> _Object:
    changed = dict(response)
    _change_each(changed, "links", _link)
    return changed


def _link(link: _Object) -> _Object:
    return {key: value for key, value in link.items() if key != "server"}
