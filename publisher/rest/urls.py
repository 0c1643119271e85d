"""URLs below ``/api/v1/publisher/``."""

from django.urls import path

from publisher.rest import apis, registrations, subscriptions

urlpatterns = [
    path("apis/", apis.ApiListView.as_view()),
    path("apis/<uuid:pk>/", apis.ApiView.as_view()),
    path("apis/<uuid:pk>/definition/", apis.ApiDefinitionView.as_view()),
    path("apis/<uuid:pk>/lifecycle/", apis.ApiLifecycleView.as_view()),
    path("apis/<uuid:pk>/registrations/", registrations.ApiRegistrationsView.as_view()),
    path("apis/<uuid:pk>/registrations/<uuid:registration>/", registrations.ApiRegistrationView.as_view()),
    path("apis/<uuid:pk>/registrations/<uuid:registration>/retry/", registrations.ApiRegistrationRetryView.as_view()),
    path("apis/<uuid:pk>/subscriptions/", subscriptions.ApiSubscriptionsView.as_view()),
    path("subscriptions/<uuid:pk>/block/", subscriptions.SubscriptionBlockView.as_view()),
    path("subscriptions/<uuid:pk>/unblock/", subscriptions.SubscriptionUnblockView.as_view()),
    path("plans/", subscriptions.PlanListView.as_view()),
]
