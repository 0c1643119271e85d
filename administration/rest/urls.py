"""URLs below ``/api/v1/admin/``."""

from django.urls import path

from administration.rest import people, views

urlpatterns = [
    path("key-managers/", views.KeyManagerListView.as_view()),
    path("key-managers/discover/", views.DiscoverView.as_view()),
    path("key-managers/<slug:slug>/", views.KeyManagerView.as_view()),
    path("key-managers/<slug:slug>/check/", views.KeyManagerChecksView.as_view()),
    path("key-managers/<slug:slug>/used-by/", views.KeyManagerUsageView.as_view()),
    path("plans/", views.PlanListView.as_view()),
    path("plans/<slug:slug>/", views.PlanView.as_view()),
    path("registrations/", views.RegistrationListView.as_view()),
    path("registrations/<uuid:pk>/", views.RegistrationView.as_view()),
    path("registrations/<uuid:pk>/retry/", views.RegistrationRetryView.as_view()),
    path("people/", people.PersonListView.as_view()),
    path("people/<int:pk>/", people.PersonView.as_view()),
    path("teams/", people.TeamListView.as_view()),
    path("teams/<uuid:pk>/", people.TeamView.as_view()),
    path("teams/<uuid:pk>/members/", people.TeamMembersView.as_view()),
    path("teams/<uuid:pk>/members/<int:member>/", people.TeamMemberView.as_view()),
    path("audit/", views.AuditListView.as_view()),
]
