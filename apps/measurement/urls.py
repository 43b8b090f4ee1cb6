from django.urls import path

from apps.measurement.views import universe

urlpatterns = [
    path("reach/universe/", universe.universe, name="universe"),
    path("reach/universe/set/", universe.save, name="set_universe"),
    path("reach/universe/remove/", universe.remove, name="remove_universe"),
]
