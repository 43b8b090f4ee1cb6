"""Addresses of single sign-on, below `/account/`: django-allauth includes them as those of its provider, hence these
names of its own."""

from django.urls import path

from apps.orgs.sign_in import views

urlpatterns = [
    path("single-sign-on/", views.find, name="single_sign_on"),
    path("single-sign-on/problem/<slug:reason>/", views.problem, name="sign_in_problem"),
    path("single-sign-on/<str:provider_id>/", views.begin, name="openid_connect_login"),
    path("single-sign-on/<str:provider_id>/callback/", views.callback, name="openid_connect_callback"),
]
