"""URLs of the embedded authorization server, mounted at ``/resident/``; none ends in a slash.

``metadata_urlpatterns`` is mounted at the root, because RFC 8414 section 3.1 puts the well-known part before the path.
"""

from django.urls import path

from keymanager.resident.issuer import MOUNT
from keymanager.resident.views import authorize, discovery, manage, registration, tokens

app_name = "resident"

urlpatterns = [
    path(".well-known/openid-configuration", discovery.server_metadata, name="openid-configuration"),
    path("authorize", authorize.authorize, name="authorize"),
    path("token", tokens.token, name="token"),
    path("introspect", tokens.introspection, name="introspect"),
    path("revoke", tokens.revoke, name="revoke"),
    path("jwks", tokens.jwks, name="jwks"),
    path("userinfo", tokens.userinfo, name="userinfo"),
    path("register", registration.register, name="register"),
    path("register/<str:client_id>", registration.registered_client, name="registered-client"),
    path("manage/clients", manage.clients, name="manage-clients"),
    path("manage/clients/<str:client_id>", manage.client, name="manage-client"),
    path("manage/clients/<str:client_id>/rotate-secret", manage.rotate_secret, name="manage-rotate-secret"),
    path("manage/clients/<str:client_id>/recover", manage.recover, name="manage-recover"),
    path("manage/clients/<str:client_id>/revoke-tokens", manage.revoke_tokens, name="manage-revoke-tokens"),
    path("manage/clients/<str:client_id>/suspend", manage.suspend, name="manage-suspend"),
    path("manage/clients/<str:client_id>/resume", manage.resume, name="manage-resume"),
    path("manage/scopes", manage.scopes, name="manage-scopes"),
    path("manage/scopes/<path:key>", manage.scope, name="manage-scope"),
    path("manage/resources", manage.resources, name="manage-resources"),
    path("manage/resources/<path:identifier>", manage.resource, name="manage-resource"),
]

metadata_urlpatterns = [
    path(f".well-known/oauth-authorization-server/{MOUNT}", discovery.server_metadata, name="resident-metadata"),
]
