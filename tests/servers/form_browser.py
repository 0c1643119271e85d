"""A browser of forms and redirects, for login pages that work without JavaScript."""

import html
import re
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPMessage
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import IO


class FormBrowser(urllib.request.HTTPRedirectHandler):
    """Keeps cookies and follows redirects until one leads to ``stop_at``; then ``arrived`` is that address.

    Cookies that are for https only go back over http as well: some servers mark theirs so in any case.
    """

    def __init__(self, stop_at: str) -> None:
        self.arrived: str | None = None
        self.stop_at = stop_at
        cookies = CookieJar(DefaultCookiePolicy(rfc2965=False, secure_protocols=("http", "https")))
        self._opener = urllib.request.build_opener(self, urllib.request.HTTPCookieProcessor(cookies))

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> urllib.request.Request | None:
        """Stop at our own address."""
        if newurl.startswith(self.stop_at):
            self.arrived = newurl
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def open(self, url: str, form: bytes | None = None) -> str:
        """The page behind ``url``, of any status."""
        self.arrived = None
        try:
            with self._opener.open(url, form, timeout=30) as answer:
                return str(answer.read(), "utf-8")
        except urllib.error.HTTPError as exc:
            with exc:
                return str(exc.read(), "utf-8")

    def sign_in_at_keycloak(self, authorization_url: str, *, username: str, password: str) -> str:
        """Sign in, unless Keycloak's session is still there; the redirect that leads to ``stop_at``.

        Raises ``RuntimeError`` with the page when there is none.
        """
        page = self.fill_in_keycloaks_form(authorization_url, username=username, password=password)
        if self.arrived is None:
            raise RuntimeError(f"Keycloak did not let {username} in:\n{page}")
        return self.arrived

    def fill_in_keycloaks_form(self, url: str, *, username: str, password: str) -> str:
        """The page after Keycloak's form, or the one behind ``url`` when that has arrived already.

        Raises ``RuntimeError`` when ``url`` leads to another page.
        """
        page = self.open(url)
        if self.arrived is not None:
            return page
        form = re.search(r'<form[^>]*id="kc-form-login"[^>]* action="([^"]+)"', page)
        if form is None:
            raise RuntimeError(f"no login form on the page:\n{page}")
        fields = urllib.parse.urlencode({"username": username, "password": password})
        return self.open(html.unescape(form.group(1)), fields.encode())
