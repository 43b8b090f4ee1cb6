"""Every URL of the site. Pages of one organisation live under `/o/<org>/`."""

from django.urls import include, path
from django.views.generic import RedirectView

from apps.common.views import health
from apps.orgs.sign_in import connections
from apps.orgs.views import home, invitation, profile

urlpatterns = [
    path("healthz", health, name="health"),
    path("", home.choose_organisation, name="home"),
    path("account/3rdparty/", connections.connections, name="socialaccount_connections"),
    # Sessions are a part of the profile.
    path("account/sessions/", RedirectView.as_view(pattern_name="profile")),
    path("account/", include("allauth.urls")),
    path("profile/", profile.profile, name="profile"),
    path("profile/edit/", profile.edit, name="edit_profile"),
    path("profile/sessions/end/", profile.end, name="end_session"),
    path("profile/data/", profile.download, name="personal_data"),
    path("staff/", include("apps.orgs.sign_in.staff_urls")),
    path("sign-in/", include("apps.accounts.urls")),
    path("invitations/<str:token>/", invitation.invitation, name="invitation"),
    path("console/", include(("apps.console.urls", "console"))),
    path("api/", include(("config.urls_api", "api"))),
    path("o/<slug:org>/", include(("config.urls_org", "org"))),
]

handler400 = "apps.common.error_pages.bad_request"
handler403 = "apps.common.error_pages.forbidden"
handler404 = "apps.common.error_pages.not_found"
handler500 = "apps.common.error_pages.server_error"
