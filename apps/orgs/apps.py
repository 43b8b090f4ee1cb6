from django.apps import AppConfig


class OrgsConfig(AppConfig):
    name = "apps.orgs"

    def ready(self) -> None:
        from apps.orgs.sign_in_trail import listen

        listen()
