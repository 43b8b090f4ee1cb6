"""An OpenID Connect provider on loopback (oidc-provider-mock, which somebody else wrote), and a browser's part of the
way there and back."""

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import requests
from django.http import HttpResponse
from django.test import Client
from oidc_provider_mock import User, app
from oidc_provider_mock._server import _threaded_server

os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "1")


class Provider:
    """The running provider: its people, and what it was asked."""

    def __init__(self, application: flask.Flask) -> None:
        self._app = application
        self.issuer = ""
        self.token_requests: list[dict[str, str]] = []
        self.asked: dict[str, str] = {}
        self.spoil: dict[str, Any] = {}
        application.before_request(self._note)
        application.after_request(self._spoil)

    def add_person(self, sub: str, **claims: Any) -> None:
        answer = requests.put(f"{self.issuer}/users/{sub}", json=claims, timeout=5)
        answer.raise_for_status()

    def agree(self, url: str, sub: str, action: str = "") -> str:
        """Sign in there as `sub`; answers where it sends the browser then."""
        self.asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        answer = requests.post(url, data={"sub": sub, "action": action}, allow_redirects=False, timeout=5)
        return str(answer.headers["Location"])

    def proved_possession(self) -> bool:
        """Whether the token was asked for with the verifier of the challenge (RFC 7636, S256)."""
        verifier = self.token_requests[-1].get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return self.asked.get("code_challenge_method") == "S256" and self.asked.get("code_challenge") == digest

    def _note(self) -> None:
        if flask.request.path == "/oauth2/token":
            self.token_requests.append(flask.request.form.to_dict())

    def _spoil(self, response: flask.Response) -> flask.Response:
        """What the test wants a path to answer instead."""
        instead = self.spoil.get(flask.request.path)
        if instead is not None:
            response = flask.make_response(instead(response) if callable(instead) else instead)
        return response


@contextmanager
def running() -> Iterator[Provider]:
    application = app()
    provider = Provider(application)
    with _threaded_server(application) as server:
        provider.issuer = f"http://localhost:{server.server_port}"
        yield provider


def go(client: Client, provider: Provider, sub: str, begin: str, action: str = "", **fields: str) -> HttpResponse:
    """The whole way: the button here, signing in there, and back."""
    page = client.post(begin, fields)
    back = provider.agree(target_of(page), sub, action)
    return come_back(client, back)


def come_back(client: Client, url: str) -> HttpResponse:
    parts = urlsplit(url)
    return client.get(f"{parts.path}?{parts.query}")


def target_of(page: HttpResponse) -> str:
    """Where the page between leads."""
    found = re.search(r'id="going" href="([^"]+)"', page.content.decode())
    assert found, page.content.decode()[:2000]
    return unescape(found[1])


__all__ = ["Provider", "User", "come_back", "go", "running", "target_of"]
