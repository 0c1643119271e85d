"""URLs of the store's pages, from the portal's root."""

from django.urls import path

from store.pages import (
    api,
    applications,
    catalogue,
    credentials,
    guides,
    reference,
    refusals,
    subscriptions,
    tokens,
    trying,
)

urlpatterns = [
    path("", catalogue.HomePage.as_view(), name="store-home"),
    path("apis/<uuid:pk>/", api.ApiPage.as_view(), name="store-api"),
    path("apis/<uuid:pk>/reference/", reference.ReferencePage.as_view(), name="store-reference"),
    path("apis/<uuid:pk>/reference/<uuid:operation>/", reference.ReferencePage.as_view(), name="store-operation"),
    path("apis/<uuid:pk>/reference/<uuid:operation>/token/", trying.TryToken.as_view(), name="try-token"),
    path("apis/<uuid:pk>/guides/", guides.GuidesPage.as_view(), name="store-guides"),
    path("apis/<uuid:pk>/guides/<uuid:document>/", guides.GuidesPage.as_view(), name="store-guide"),
    path("apis/<uuid:pk>/subscribe/", subscriptions.SubscribePage.as_view(), name="subscribe"),
    path("apps/", applications.ApplicationsPage.as_view(), name="applications"),
    path("apps/new/", applications.NewApplicationPage.as_view(), name="application-new"),
    path("apps/<uuid:pk>/", applications.ApplicationPage.as_view(), name="application"),
    path("apps/<uuid:pk>/settings/", applications.ApplicationSettingsPage.as_view(), name="application-settings"),
    path("apps/<uuid:pk>/delete/", applications.DeleteApplicationPage.as_view(), name="application-delete"),
    path("apps/<uuid:pk>/subscriptions/", subscriptions.SubscriptionsPage.as_view(), name="subscriptions"),
    path("apps/<uuid:pk>/credentials/", credentials.CredentialsPage.as_view(), name="credentials"),
    path(
        "apps/<uuid:pk>/credentials/<slug:slug>/register/",
        credentials.NewCredentialPage.as_view(),
        name="credential-new",
    ),
    path(
        "apps/<uuid:pk>/credentials/<slug:slug>/existing/",
        credentials.NewCredentialPage.as_view(existing=True),
        name="credential-existing",
    ),
    path("credentials/<uuid:pk>/", credentials.CredentialPage.as_view(), name="credential"),
    path("credentials/<uuid:pk>/card/", credentials.CredentialCard.as_view(), name="credential-card"),
    path("credentials/<uuid:pk>/retry/", credentials.RetryCredential.as_view(), name="credential-retry"),
    path("credentials/<uuid:pk>/remove/", credentials.RemoveCredential.as_view(), name="credential-remove"),
    path("credentials/<uuid:pk>/rotate/", credentials.RotateSecret.as_view(), name="credential-rotate"),
    path("credentials/<uuid:pk>/drop-old/", credentials.DropOldSecret.as_view(), name="credential-drop-old"),
    path("credentials/<uuid:pk>/reveal/", credentials.RevealSecret.as_view(), name="credential-reveal"),
    path("credentials/<uuid:pk>/token/", tokens.TokenPage.as_view(), name="credential-token"),
    path("subscriptions/<uuid:pk>/plan/", subscriptions.ChangePlan.as_view(), name="subscription-plan"),
    path("subscriptions/<uuid:pk>/end/", subscriptions.Unsubscribe.as_view(), name="unsubscribe"),
    path("refusals/", refusals.ExplainPage.as_view(), name="refusals"),
    path("refusals/<slug:reference>/", refusals.ExplainPage.as_view(), name="explain"),
    path("refusals/<slug:reference>/verdict/", trying.VerdictPiece.as_view(), name="explain-piece"),
]
