"""Where a person is signed in, and the end of it. Of an address only its network is kept: see `origin`."""

from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth import signals as auth
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.db.models.signals import pre_save
from django.http import HttpRequest

from apps.accounts.models import SignInPlace, User
from apps.accounts.notices import Notice, notify
from apps.accounts.origin import network_of, network_of_address
from apps.common.errors import NotFound


def listen() -> None:
    auth.user_logged_in.connect(_note_sign_in, dispatch_uid="accounts.note_sign_in")
    pre_save.connect(_keep_network_only, sender=UserSession, dispatch_uid="accounts.keep_network_only")


def list_sessions(user: User) -> list[UserSession]:
    """Those that are still open, the newest first."""
    return list(
        UserSession.objects.filter(user=user, session_key__in=Session.objects.values("session_key")).order_by(
            "-last_seen_at", "-pk"
        )
    )


def end_session(*, user: User, session_id: int) -> None:
    found = UserSession.objects.filter(user=user, pk=session_id).first()
    if found is None:
        raise NotFound("There is no such session of yours; it may have ended already.")
    found.end()


def end_sessions(*, user_id: UUID) -> None:
    """All of them at once, also those that are listed nowhere."""
    with transaction.atomic():
        User.objects.filter(pk=user_id).update(session_epoch=F("session_epoch") + 1)
        keys = UserSession.objects.filter(user=user_id)
        Session.objects.filter(session_key__in=list(keys.values_list("session_key", flat=True))).delete()
        keys.delete()


def end_other_sessions(*, request: HttpRequest, user: User) -> None:
    """All but the one that asks."""
    key = request.session.session_key
    with transaction.atomic():
        User.objects.filter(pk=user.pk).update(session_epoch=F("session_epoch") + 1)
        others = UserSession.objects.filter(user=user).exclude(session_key=key)
        Session.objects.filter(session_key__in=list(others.values_list("session_key", flat=True))).delete()
        others.delete()
        user.refresh_from_db(fields=["session_epoch"])
        update_session_auth_hash(request, user)
        UserSession.objects.filter(session_key=key).update(session_key=request.session.session_key)


def _note_sign_in(*, request: HttpRequest | None = None, user: User | None = None, **kwargs: Any) -> None:
    """List the session, and tell the person when the network is new to them."""
    network = network_of(request) if request is not None and "REMOTE_ADDR" in request.META else ""
    if request is None or user is None or not network:
        return
    UserSession.objects.create_from_request(request)
    had_some = SignInPlace.objects.filter(user=user).exists()
    _, is_new = SignInPlace.objects.update_or_create(user=user, network=network)
    if is_new and had_some:
        notify(user.pk, Notice.SIGN_IN, network=network, browser=browser_words(request.META.get("HTTP_USER_AGENT", "")))


def _keep_network_only(*, instance: UserSession, **kwargs: Any) -> None:
    instance.ip = network_of_address(instance.ip).partition("/")[0] or instance.ip


BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


def browser_words(agent: str) -> str:
    """`Chrome on Windows`, as far as the browser says so."""
    browser = next((words for sign, words in BROWSERS if sign in agent), "a browser")
    system = next((words for sign, words in SYSTEMS if sign in agent), "")
    return f"{browser} on {system}" if system else browser
