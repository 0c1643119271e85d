"""What every page stands on: sign-in first, what was typed survives an ended session, refusals belong to fields."""

import pytest
from django.test import Client

from accounts.models import ApiToken, Role, User
from accounts.services import create_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def ada() -> User:
    return create_user(username="ada", password=PASSWORD, roles=[Role.APP_DEVELOPER])


@pytest.fixture
def browser(ada: User, client: Client) -> Client:
    client.force_login(ada)
    return client


def test_a_form_sent_after_the_session_ended_is_shown_again_after_signing_in(ada: User, client: Client) -> None:
    sent = client.post("/account/tokens/", {"name": "pipeline", "days": "30", "client_secret": "hush"})
    assert sent.status_code == 302
    client.post(sent["Location"], {"username": "ada", "password": PASSWORD})

    page = client.get("/account/tokens/").content.decode()

    assert 'value="pipeline"' in page
    assert "not saved" in page
    assert "hush" not in page
    assert not ApiToken.objects.exists()
    assert 'value="pipeline"' not in client.get("/account/tokens/").content.decode()


def test_a_refused_form_names_the_field_above_and_at_it(browser: Client) -> None:
    answer = browser.post("/account/tokens/", {"name": "", "days": "0"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert '<a href="#id_name">Name</a>: This field is required.' in page
    assert 'aria-invalid="true"' in page
    assert 'id="id_name_error"' in page


def test_a_new_token_is_shown_once_and_can_be_ended(browser: Client, ada: User) -> None:
    page = browser.post("/account/tokens/", {"name": "pipeline", "team": ada.teams.get().pk, "days": "30"})
    token = ApiToken.objects.get()
    assert page["Cache-Control"] == "no-store"
    assert "awt_" in page.content.decode()
    assert "awt_" not in browser.get("/account/tokens/").content.decode()

    browser.post(f"/account/tokens/{token.pk}/end/")

    token.refresh_from_db()
    assert token.revoked_at is not None


def test_somebody_elses_token_is_not_there(browser: Client) -> None:
    other = create_user(username="bob", password=PASSWORD)
    token = ApiToken.objects.create(user=other, team=other.teams.get(), name="x", sha256="0" * 64)
    assert browser.post(f"/account/tokens/{token.pk}/end/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None


def test_the_theme_is_in_the_first_byte_of_the_next_page(client: Client) -> None:
    client.post("/account/theme/", {"theme": "dark"})
    assert 'id="theme-dark" checked' in client.get("/about/").content.decode()
    client.post("/account/theme/", {"theme": "<script>"})
    assert 'id="theme-dark" checked' in client.get("/about/").content.decode()
