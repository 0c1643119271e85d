"""URLs below ``/publisher/``."""

from django.urls import path

from publisher.pages import (
    access,
    apis,
    definition,
    design,
    documents,
    facts,
    history,
    lifecycle,
    overview,
    registrations,
    subscribers,
    versions,
)

urlpatterns = [
    path("", apis.ApisPage.as_view(), name="publisher"),
    path("new/", apis.NewApiPage.as_view(), name="publisher-new"),
    path("new/create/", apis.CreateApiPage.as_view(), name="publisher-create"),
    path("new/<slug:source>/", apis.NewApiPage.as_view(), name="publisher-new-from"),
    path("apis/<uuid:pk>/", overview.OverviewPage.as_view(), name="publisher-api"),
    path("apis/<uuid:pk>/details/", facts.DetailsPage.as_view(), name="publisher-details"),
    path(
        "apis/<uuid:pk>/design/",
        design.DesignPage.as_view(http_method_names=["get", "head", "options"]),
        name="publisher-design",
    ),
    path("apis/<uuid:pk>/design/new/", design.NewOperationPage.as_view(), name="publisher-operation-new"),
    path("apis/<uuid:pk>/design/<uuid:operation>/", design.DesignPage.as_view(), name="publisher-operation"),
    path(
        "apis/<uuid:pk>/design/<uuid:operation>/remove/",
        design.RemoveOperation.as_view(),
        name="publisher-operation-remove",
    ),
    path("apis/<uuid:pk>/scopes/<uuid:scope>/", design.ScopePage.as_view(), name="publisher-scope"),
    path("apis/<uuid:pk>/definition/", definition.DefinitionPage.as_view(), name="publisher-definition"),
    path("apis/<uuid:pk>/definition/file/", definition.DefinitionFile.as_view(), name="publisher-definition-file"),
    path("apis/<uuid:pk>/definition/save/", definition.SaveDefinition.as_view(), name="publisher-definition-save"),
    path(
        "apis/<uuid:pk>/definition/replace/<slug:source>/",
        definition.ReplaceDefinition.as_view(),
        name="publisher-definition-replace",
    ),
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
    path("apis/<uuid:pk>/documents/", documents.DocumentsPage.as_view(), name="publisher-documents"),
    path("apis/<uuid:pk>/documents/new/", documents.NewDocumentPage.as_view(), name="publisher-document-new"),
    path("apis/<uuid:pk>/documents/<uuid:document>/", documents.DocumentPage.as_view(), name="publisher-document"),
    path(
        "apis/<uuid:pk>/documents/<uuid:document>/delete/",
        documents.DeleteDocument.as_view(),
        name="publisher-document-delete",
    ),
    path("apis/<uuid:pk>/lifecycle/", lifecycle.LifecyclePage.as_view(), name="publisher-lifecycle"),
    path("apis/<uuid:pk>/move/", lifecycle.MoveApi.as_view(), name="publisher-move"),
    path("apis/<uuid:pk>/delete/", lifecycle.DeleteApi.as_view(), name="publisher-delete"),
    path("apis/<uuid:pk>/versions/", versions.VersionsPage.as_view(), name="publisher-versions"),
    path("apis/<uuid:pk>/history/", history.HistoryPage.as_view(), name="publisher-history"),
]
