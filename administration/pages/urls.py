"""URLs below ``/admin-portal/``."""

from django.urls import path
from django.views.generic import RedirectView

from administration.pages import audit, key_managers, people, plans, queue, teams

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="key-managers"), name="administration"),
    path("key-managers/", key_managers.KeyManagersPage.as_view(), name="key-managers"),
    path("key-managers/add/", key_managers.ChooseAdapterPage.as_view(), name="key-manager-choose"),
    path("key-managers/add/<slug:slug>/", key_managers.NewKeyManagerPage.as_view(), name="key-manager-new"),
    path("key-managers/<slug:slug>/", key_managers.KeyManagerPage.as_view(), name="key-manager"),
    path("key-managers/<slug:slug>/edit/", key_managers.EditKeyManagerPage.as_view(), name="key-manager-edit"),
    path("key-managers/<slug:slug>/switch/", key_managers.SwitchKeyManager.as_view(), name="key-manager-switch"),
    path("key-managers/<slug:slug>/check/", key_managers.CheckKeyManager.as_view(), name="key-manager-check"),
    path("key-managers/<slug:slug>/delete/", key_managers.DeleteKeyManager.as_view(), name="key-manager-delete"),
    path("checks/<uuid:pk>/", key_managers.CheckSteps.as_view(), name="check-steps"),
    path("queue/", queue.QueuePage.as_view(), name="queue"),
    path("queue/retry-failed/", queue.RetryAllFailed.as_view(), name="retry-all-failed"),
    path("queue/<uuid:pk>/", queue.RegistrationPage.as_view(), name="registration"),
    path("queue/<uuid:pk>/retry/", queue.RetryRegistration.as_view(), name="registration-retry"),
    path("plans/", plans.PlansPage.as_view(), name="plans"),
    path("plans/<slug:slug>/", plans.PlanPage.as_view(), name="plan"),
    path("plans/<slug:slug>/delete/", plans.DeletePlan.as_view(), name="plan-delete"),
    path("people/", people.PeoplePage.as_view(), name="people"),
    path("people/add/", people.NewPersonPage.as_view(), name="person-new"),
    path("people/<int:pk>/", people.PersonPage.as_view(), name="person"),
    path("people/<int:pk>/switch/", people.SwitchPerson.as_view(), name="person-switch"),
    path("people/<int:pk>/end-sessions/", people.EndSessionsOfPerson.as_view(), name="person-end-sessions"),
    path("teams/", teams.TeamsPage.as_view(), name="teams"),
    path("teams/<uuid:pk>/", teams.TeamPage.as_view(), name="team"),
    path("teams/<uuid:pk>/members/", teams.AddTeamMember.as_view(), name="team-member-add"),
    path("teams/<uuid:pk>/members/<int:member>/remove/", teams.RemoveTeamMember.as_view(), name="team-member-remove"),
    path("audit/", audit.AuditPage.as_view(), name="audit"),
]
