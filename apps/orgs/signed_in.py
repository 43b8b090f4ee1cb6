"""A view for whoever is signed in, wherever they belong."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponse

from apps.orgs.requests import ActorRequest

View = Callable[..., HttpResponse]


def requires_person(view: View) -> View:
    @wraps(view)
    def checked(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.actor.user_id is None:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)

    return checked
