from django.urls import path

from apps.accounts.views import sign_in

urlpatterns = [path("<str:token>/", sign_in.one_time, name="sign_in_link")]
