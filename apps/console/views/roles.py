"""Who may do what: the one table of permissions, as it is in force."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from apps.orgs.public import PLATFORM_ROLES, TABLE, ActorRequest, Permission, Role, count_by_role, requires_platform


@require_GET
@requires_platform(Permission.VIEW_ALL_ORGANISATIONS)
def index(request: ActorRequest) -> HttpResponse:
    people = count_by_role()
    context = {
        "roles": [
            {
                "words": role.words,
                "of_platform": role in PLATFORM_ROLES,
                "people": people.get(role, 0),
                "value": role.value,
            }
            for role in Role
        ],
        "rows": [
            {"words": permission.words, "help": permission.help, "cells": [permission in TABLE[role] for role in Role]}
            for permission in Permission
        ],
    }
    return render(request, "console/roles.html", context)
