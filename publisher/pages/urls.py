"""URLs below ``/publisher/``."""

from django.urls import path

from publisher.pages import access, apis, facts, history, lifecycle, overview, registrations, subscribers, versions

urlpatterns = [
    path("", apis.ApisPage.as_view(), name="publisher"),
    path("new/", apis.NewApiPage.as_view(), name="publisher-new"),
    path("new/create/", apis.CreateApiPage.as_view(), name="publisher-create"),
    path("new/<slug:source>/", apis.NewApiPage.as_view(), name="publisher-new-from"),
    path("apis/<uuid:pk>/", overview.OverviewPage.as_view(), name="publisher-api"),
    path("apis/<uuid:pk>/details/", facts.DetailsPage.as_view(), name="publisher-details"),
    path("apis/<uuid:pk>/endpoints/", facts.EndpointsPage.as_view(), name="publisher-endpoints"),
    path("apis/<uuid:pk>/policies/", facts.PoliciesPage.as_view(), name="publisher-policies"),
    path("apis/<uuid:pk>/key-managers/", access.KeyManagersPage.as_view(), name="publisher-key-managers"),
    path("apis/<uuid:pk>/plans/", access.PlansPage.as_view(), name="publisher-plans"),
    path("apis/<uuid:pk>/registrations/", registrations.RegistrationsTable.as_view(), name="publisher-registrations"),
    path(
        "apis/<uuid:pk>/registrations/<uuid:registration>/",
        registrations.RegistrationPage.as_view(),
        name="publisher-registration",
    ),
    path(
        "apis/<uuid:pk>/registrations/<uuid:registration>/retry/",
        registrations.RetryRegistration.as_view(),
        name="publisher-registration-retry",
    ),
    path("apis/<uuid:pk>/subscriptions/", subscribers.SubscribersPage.as_view(), name="publisher-subscriptions"),
    path("subscriptions/<uuid:pk>/block/", subscribers.BlockSubscriber.as_view(), name="publisher-block"),
    path("subscriptions/<uuid:pk>/unblock/", subscribers.UnblockSubscriber.as_view(), name="publisher-unblock"),
    path("apis/<uuid:pk>/lifecycle/", lifecycle.LifecyclePage.as_view(), name="publisher-lifecycle"),
    path("apis/<uuid:pk>/move/", lifecycle.MoveApi.as_view(), name="publisher-move"),
    path("apis/<uuid:pk>/delete/", lifecycle.DeleteApi.as_view(), name="publisher-delete"),
    path("apis/<uuid:pk>/versions/", versions.VersionsPage.as_view(), name="publisher-versions"),
    path("apis/<uuid:pk>/history/", history.HistoryPage.as_view(), name="publisher-history"),
]
