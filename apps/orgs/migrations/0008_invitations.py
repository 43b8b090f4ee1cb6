"""Invitations, under row-level security; only the platform invites people to the platform's roles."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

POLICY = """
ALTER TABLE public.orgs_invitation ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_invitation FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_invitation USING (public.check_row_access(org_id))
    WITH CHECK (public.check_row_access(org_id)
                AND (role NOT IN ('super_admin', 'campaign_manager')
                     OR current_setting('app.user_role', true) IN ('super_admin', 'service')));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0007_raw_event_days"),
    ]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("email", models.EmailField(max_length=254)),
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("super_admin", "super admin"),
                            ("campaign_manager", "campaign manager"),
                            ("org_admin", "org admin"),
                            ("marketer", "marketer"),
                            ("data_owner", "data owner"),
                            ("measurement_partner", "measurement partner"),
                            ("viewer", "viewer"),
                        ],
                        max_length=24,
                    ),
                ),
                ("token_hash", models.BinaryField(help_text="SHA-256 of the token.", max_length=32, unique=True)),
                ("invited_by", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("expires_at", models.DateTimeField()),
                ("accepted_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="orgs.organisation"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("accepted_at", None), ("revoked_at", None)),
                        fields=("org", "email"),
                        name="invitation_open_once",
                    )
                ],
            },
        ),
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
    ]
