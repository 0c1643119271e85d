"""URLs below ``/api/v1/store/``."""

from django.urls import path

from store.rest import applications, catalogue, credentials, subscriptions

urlpatterns = [
    path("apis/", catalogue.StoreApiListView.as_view()),
    path("apis/<uuid:pk>/", catalogue.StoreApiView.as_view()),
    path("apis/<uuid:pk>/definition/", catalogue.StoreDefinitionView.as_view()),
    path("applications/", applications.ApplicationListView.as_view()),
    path("applications/<uuid:pk>/", applications.ApplicationView.as_view()),
    path("applications/<uuid:pk>/credentials/", credentials.ApplicationCredentialsView.as_view()),
    path("credentials/<uuid:pk>/", credentials.CredentialView.as_view()),
    path("credentials/<uuid:pk>/rotate-secret/", credentials.CredentialRotateView.as_view()),
    path("credentials/<uuid:pk>/drop-old-secret/", credentials.CredentialDropOldSecretView.as_view()),
    path("credentials/<uuid:pk>/retry/", credentials.CredentialRetryView.as_view()),
    path("credentials/<uuid:pk>/reveal-secret/", credentials.CredentialRevealView.as_view()),
    path("credentials/<uuid:pk>/token/", credentials.CredentialTokenView.as_view()),
    path("subscriptions/", subscriptions.SubscriptionListView.as_view()),
    path("subscriptions/<uuid:pk>/", subscriptions.SubscriptionView.as_view()),
    path("verdicts/<slug:reference>/", subscriptions.VerdictView.as_view()),
]
