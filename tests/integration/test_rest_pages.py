"""The small web face, what a process serves, and the command that prints an API token."""

import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, Role
from tests.integration.rest_kit import World, make_caller, make_world

pytestmark = pytest.mark.django_db
POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    f"connect-src 'self' {settings.ARCHWAY_GATEWAY_URL}",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield from make_world()


def test_the_start_page_says_what_runs_and_where(world: World, client: Client) -> None:
    answer = client.get("/about/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert settings.ARCHWAY_PUBLIC_URL in page
    assert settings.ARCHWAY_GATEWAY_URL in page
    assert world.resident.name in page
    for part in ("publisher", "store", "administration", "key managers"):
        assert f"<td>{part}</td>" in page.lower()


@pytest.mark.parametrize(
    "path", ["/", "/sign-in/", "/api/v1/docs/", "/api/v1/schema/", "/api/v1/store/apis/", "/nothing"]
)
def test_every_answer_has_exactly_the_strict_policy(client: Client, path: str) -> None:
    answer = client.get(path)
    assert {part.strip() for part in answer["Content-Security-Policy"].split(";")} - {""} == POLICY
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/api/v1/docs/"])
def test_no_page_has_inline_script_or_style(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    for script in re.findall(r"<script\b[^>]*>(.*?)</script>", page, re.DOTALL):
        assert script.strip() == ""
    assert "<style" not in page
    assert not re.search(r"\s(on\w+|style)=", page)
    assert not re.search(r"(src|href)=\"(https?:)?//", page)


def test_a_person_signs_in_with_a_local_account_and_out_by_post(client: Client) -> None:
    make_caller("anna", Role.APP_DEVELOPER)
    form = {"username": "anna", "password": "correct horse battery"}
    answer = client.post("/sign-in/", form)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert "anna" in client.get("/").content.decode()
    assert client.get("/api/v1/store/applications/").status_code == 200
    assert client.get("/sign-out/").status_code == 405
    assert "anna" in client.get("/").content.decode()
    assert client.post("/sign-out/").status_code == 302
    assert "anna" not in client.get("/").content.decode()
    assert client.get("/api/v1/store/applications/").status_code == 401


@pytest.mark.parametrize("name", ["anna", "nobody", "<b>x</b>"])
def test_a_wrong_sign_in_does_not_say_whether_the_user_exists(client: Client, name: str) -> None:
    make_caller("anna", Role.APP_DEVELOPER)
    answer = client.post("/sign-in/", {"username": name, "password": "wrong"})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "The user name or the password is wrong." in page
    assert "<b>x</b>" not in page
    assert "sessionid" not in client.cookies


def test_signing_in_does_not_lead_to_another_site(client: Client) -> None:
    make_caller("anna", Role.APP_DEVELOPER)
    form = {"username": "anna", "password": "correct horse battery"}
    for place in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert client.post("/sign-in/", {**form, "next": place})["Location"] == "/"
    assert client.post("/sign-in/", {**form, "next": "/api/v1/docs/"})["Location"] == "/api/v1/docs/"


def test_signing_in_and_out_need_a_csrf_token() -> None:
    browser = Client(enforce_csrf_checks=True)
    assert browser.post("/sign-in/", {"username": "a", "password": "b"}).status_code == 403
    assert browser.post("/sign-out/").status_code == 403


PARTS = {
    "publisher": "/api/v1/publisher/apis/",
    "store": "/api/v1/store/apis/",
    "administration": "/api/v1/admin/plans/",
    "keymanager": "/.well-known/oauth-authorization-server",
}
PROGRAM = """
import importlib, sys
import django
django.setup()
from django.conf import settings
from django.urls import Resolver404, clear_url_caches, resolve
import portal.urls
for parts in [None, "publisher", "store", "administration", "keymanager", "store,publisher"]:
    if parts:
        settings.ARCHWAY_PARTS = parts.split(",")
        importlib.reload(portal.urls)
        clear_url_caches()
    for path in sys.argv[1:]:
        try:
            resolve(path)
            print(parts, path)
        except Resolver404:
            pass
"""
ALWAYS = {"/", "/sign-in/", "/api/v1/docs/", "/healthz"}


def test_a_process_serves_its_parts_and_not_the_others(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "ARCHWAY_PARTS": "store, administration",
        "ARCHWAY_HOME": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "portal.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *PARTS.values(), *ALWAYS],
        check=True,
        capture_output=True,
        text=True,
        cwd=settings.BASE_DIR,
        env=environment,
        timeout=60,
    )
    served: dict[str, set[str]] = {}
    for parts, path in map(str.split, done.stdout.splitlines()):
        served.setdefault(parts, set()).add(path)
    assert served.pop("None") == {PARTS["store"], PARTS["administration"], *ALWAYS}
    assert served.pop("store,publisher") == {PARTS["store"], PARTS["publisher"], *ALWAYS}
    assert served == {part: {path, *ALWAYS} for part, path in PARTS.items()}


def test_the_command_prints_the_token_and_nothing_else_and_only_a_hash_is_stored() -> None:
    caller = make_caller("anna", Role.APP_DEVELOPER)
    ApiToken.objects.all().delete()
    out, errors = io.StringIO(), io.StringIO()
    call_command("api_token", "anna", stdout=out, stderr=errors)
    token = out.getvalue().strip()
    assert re.fullmatch(r"awt_[\w-]{43}\n", out.getvalue())
    assert errors.getvalue() == ""
    row = ApiToken.objects.get()
    assert row.sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert token not in str(ApiToken.objects.values().get())
    answer = Client().get("/api/v1/store/applications/", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, row.user) == (200, caller.user)


def test_the_command_refuses_an_unknown_user_and_a_right_that_only_administrators_have() -> None:
    make_caller("anna", Role.APP_DEVELOPER)
    ApiToken.objects.all().delete()
    for arguments in (["nobody"], ["anna", "--introspect"], ["anna", "--team", "Crew"]):
        with pytest.raises(CommandError):
            call_command("api_token", *arguments, stdout=io.StringIO())
    assert not ApiToken.objects.exists()
