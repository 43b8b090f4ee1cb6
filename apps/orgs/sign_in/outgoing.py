"""How the site asks identity providers. An organisation names its provider's address, so that address may point
anywhere: only public addresses are asked, by https, without redirects, for a limited time and a limited answer."""

import time
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from requests import PreparedRequest, Response
from requests.exceptions import InvalidURL, ReadTimeout, RequestException
from requests_hardened import Config, HTTPSession

CONNECT_SECONDS, READ_SECONDS, MOST_SECONDS = 3.0, 4.0, 6.0
MOST_BYTES = 1_000_000


class Session(HTTPSession):
    """A session of `requests` for addresses that somebody else chose."""

    def __init__(self) -> None:
        is_local = bool(settings.SIGN_IN_LOCAL_PROVIDERS)
        super().__init__(
            Config(
                ip_filter_enable=True,
                ip_filter_allow_loopback_ips=is_local,
                never_redirect=True,
                default_timeout=(CONNECT_SECONDS, READ_SECONDS),
                user_agent_override="Precise",
            )
        )
        # Neither a proxy nor a .netrc of the machine's.
        self.trust_env = False

    def send(self, request: PreparedRequest, **kwargs: Any) -> Response:
        check_scheme(request.url or "")
        deadline = time.monotonic() + MOST_SECONDS
        response: Response = super().send(request, **{**kwargs, "stream": True})
        if response.is_redirect:
            response.close()
            raise InvalidURL(f"{request.url} redirects.")
        response._content = _read(response, deadline)
        return response


def check_scheme(url: str) -> None:
    """https; http for a provider on this machine, where the settings allow one."""
    parts = urlsplit(url)
    is_local = settings.SIGN_IN_LOCAL_PROVIDERS and parts.hostname in {"localhost", "127.0.0.1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise InvalidURL(f"{url} is not https.")


def _read(response: Response, deadline: float) -> bytes:
    parts, size = [], 0
    with response:
        for part in response.iter_content(65_536):
            size += len(part)
            parts.append(part)
            if size > MOST_BYTES:
                raise RequestException(f"{response.url} answered more than {MOST_BYTES:,} bytes.")
            if time.monotonic() > deadline:
                raise ReadTimeout(f"{response.url} took longer than {MOST_SECONDS:.0f} s.")
    return b"".join(parts)
