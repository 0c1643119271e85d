"""URLs of the front door, mounted at the root; none ends in a slash.

``…/<key manager>`` is for a client id that exists at more than one key manager.
"""

from django.urls import path

from keymanager.front_door import authorization, discovery, introspection, registration, revocation, token

app_name = "front-door"

urlpatterns = [
    path("token", token.token, name="token"),
    path("token/<slug:key_manager_slug>", token.token, name="token-at"),
    path("revoke", revocation.revoke, name="revoke"),
    path("revoke/<slug:key_manager_slug>", revocation.revoke, name="revoke-at"),
    path("introspect", introspection.introspect, name="introspect"),
    path("introspect/<slug:key_manager_slug>", introspection.introspect, name="introspect-at"),
    path("tokeninfo", introspection.tokeninfo, name="tokeninfo"),
    path("tokeninfo/<slug:key_manager_slug>", introspection.tokeninfo, name="tokeninfo-at"),
    path("authorize", authorization.authorize, name="authorize"),
    path("authorize/<slug:key_manager_slug>", authorization.authorize, name="authorize-at"),
    path("register", registration.register, name="register"),
    path("register/<path:client_id>", registration.registered_client, name="registered-client"),
    path(".well-known/oauth-authorization-server", discovery.authorization_server_metadata, name="metadata"),
    path(".well-known/jwks.json", discovery.jwks, name="jwks"),
]
