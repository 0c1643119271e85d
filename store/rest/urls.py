"""URLs below ``/api/v1/store/``."""

from django.urls import path

from store.rest import views

urlpatterns = [
    path("apis/", views.StoreApiListView.as_view()),
    path("apis/<uuid:pk>/", views.StoreApiView.as_view()),
    path("apis/<uuid:pk>/definition/", views.StoreDefinitionView.as_view()),
    path("applications/", views.ApplicationListView.as_view()),
    path("applications/<uuid:pk>/", views.ApplicationView.as_view()),
    path("applications/<uuid:pk>/credentials/", views.ApplicationCredentialsView.as_view()),
    path("credentials/<uuid:pk>/", views.CredentialView.as_view()),
    path("credentials/<uuid:pk>/rotate-secret/", views.CredentialRotateView.as_view()),
    path("credentials/<uuid:pk>/drop-old-secret/", views.CredentialDropOldSecretView.as_view()),
    path("credentials/<uuid:pk>/retry/", views.CredentialRetryView.as_view()),
    path("credentials/<uuid:pk>/reveal-secret/", views.CredentialRevealView.as_view()),
    path("credentials/<uuid:pk>/token/", views.CredentialTokenView.as_view()),
    path("subscriptions/", views.SubscriptionListView.as_view()),
    path("subscriptions/<uuid:pk>/", views.SubscriptionView.as_view()),
    path("verdicts/<slug:reference>/", views.VerdictView.as_view()),
]
