"""URLs below ``/api/v1/publisher/``."""

from django.urls import path

from publisher.rest import views

urlpatterns = [
    path("apis/", views.ApiListView.as_view()),
    path("apis/<uuid:pk>/", views.ApiView.as_view()),
    path("apis/<uuid:pk>/definition/", views.ApiDefinitionView.as_view()),
    path("apis/<uuid:pk>/lifecycle/", views.ApiLifecycleView.as_view()),
    path("apis/<uuid:pk>/registrations/", views.ApiRegistrationsView.as_view()),
    path("apis/<uuid:pk>/registrations/<uuid:registration>/", views.ApiRegistrationView.as_view()),
    path("apis/<uuid:pk>/registrations/<uuid:registration>/retry/", views.ApiRegistrationRetryView.as_view()),
    path("apis/<uuid:pk>/subscriptions/", views.ApiSubscriptionsView.as_view()),
    path("subscriptions/<uuid:pk>/block/", views.SubscriptionBlockView.as_view()),
    path("subscriptions/<uuid:pk>/unblock/", views.SubscriptionUnblockView.as_view()),
    path("plans/", views.PlanListView.as_view()),
]
