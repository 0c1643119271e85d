"""URLs below ``/account/``."""

from django.urls import path

from accounts.pages import account

urlpatterns = [
    path("", account.AccountPage.as_view(), name="account"),
    path("tokens/", account.TokensPage.as_view(), name="account-tokens"),
    path("tokens/<uuid:pk>/end/", account.EndTokenPage.as_view(), name="account-token-end"),
    path("end-sessions/", account.EndSessionsPage.as_view(), name="account-end-sessions"),
    path("theme/", account.ThemePage.as_view(), name="theme"),
]
