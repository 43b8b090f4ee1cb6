"""Organisations' own identity providers, under row-level security."""

import uuid

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

POLICY = """
ALTER TABLE public.orgs_identityprovider ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_identityprovider FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_identityprovider USING (public.check_row_access(org_id));
CREATE INDEX identity_provider_domains ON public.orgs_identityprovider USING gin (domains);
"""


class Migration(migrations.Migration):
    dependencies = [("orgs", "0011_clone_tenant")]
    operations = [
        migrations.CreateModel(
            name="IdentityProvider",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(help_text="What its button is called.", max_length=40)),
                ("issuer", models.CharField(max_length=300)),
                ("client_id", models.CharField(max_length=191)),
                ("client_secret", models.BinaryField(help_text="Encrypted; see `sign_in.providers`.")),
                (
                    "domains",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=253),
                        help_text="Whose e-mail addresses it speaks for.",
                        size=None,
                    ),
                ),
                (
                    "confirmed_at",
                    models.DateTimeField(help_text="When platform staff found the domains to be theirs.", null=True),
                ),
                ("groups_claim", models.CharField(default="groups", max_length=120)),
                ("role_groups", models.JSONField(default=dict, help_text="Role to the groups that give it.")),
                (
                    "everyone",
                    models.CharField(
                        blank=True, help_text="The role of people without any of these groups.", max_length=24
                    ),
                ),
                ("is_on", models.BooleanField(default=True)),
                (
                    "is_only",
                    models.BooleanField(default=False, help_text="Passwords of these addresses do not work."),
                ),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "org",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="identity_provider",
                        to="orgs.organisation",
                    ),
                ),
            ],
        ),
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
    ]
