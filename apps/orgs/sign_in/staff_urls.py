"""Below `/staff/`. social-auth-app-django's other addresses (launches by the directory, disconnecting) are not used."""

from django.urls import path

from apps.orgs.sign_in import staff_views

app_name = "social"
urlpatterns = [
    path("", staff_views.index, name="staff"),
    path("begin/<slug:backend>/", staff_views.begin, name="begin"),
    path("complete/<slug:backend>/", staff_views.complete, name="complete"),
]
