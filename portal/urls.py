"""All URLs; ``ARCHWAY_PARTS`` decides which a web process serves, the others are 404."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView

from keymanager.pages import notifications
from keymanager.resident.urls import metadata_urlpatterns
from portal import health, pages, reference, style_gallery
from portal.parts import served_parts
from portal.sign_in.views import BackFromProvider, GoToProvider, SignInPage, SignOutPage

PART_URLS: dict[str, list[URLPattern | URLResolver]] = {
    "publisher": [
        path("api/v1/publisher/", include("publisher.rest.urls")),
        path("publisher/", include("publisher.pages.urls")),
    ],
    "store": [path("api/v1/store/", include("store.rest.urls")), path("", include("store.pages.urls"))],
    "administration": [
        path("api/v1/admin/gateways/", include("gateway.rest.urls")),
        path("api/v1/admin/", include("administration.rest.urls")),
        path("admin-portal/", include("administration.pages.urls")),
    ],
    "keymanager": [
        path("resident/", include("keymanager.resident.urls")),
        *metadata_urlpatterns,
        path("", include("keymanager.front_door.urls")),
    ],
}

urlpatterns: list[URLPattern | URLResolver] = [
    path("about/", pages.start, name="start"),
    path("account/", include("accounts.pages.urls")),
    path("sign-in/", SignInPage.as_view(), name="sign-in"),
    path("sign-in/openid/", GoToProvider.as_view(), name="openid"),
    path("sign-in/openid/callback/", BackFromProvider.as_view(), name="openid-callback"),
    path("sign-out/", SignOutPage.as_view(), name="sign-out"),
    path("notifications/", notifications.NotificationsPage.as_view(), name="notifications"),
    path("notifications/bell/", notifications.Bell.as_view(), name="notifications-bell"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("api/v1/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/v1/docs/", pages.console, name="console"),
    path("docs/reference/<slug:name>", reference.page, name="reference"),
    path("style/", style_gallery.page, name="style"),
]
for part in sorted(served_parts()):
    urlpatterns += PART_URLS[part]
if "store" not in served_parts():
    urlpatterns.append(path("", RedirectView.as_view(pattern_name="start")))

handler403 = "portal.failures.forbidden"
handler404 = "portal.failures.not_found"
handler500 = "portal.failures.server_error"
