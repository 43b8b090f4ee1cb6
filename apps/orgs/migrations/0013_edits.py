"""Edits in place, under row-level security."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

POLICY = """
ALTER TABLE public.orgs_edit ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_edit FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_edit USING (public.check_row_access(org_id));
"""


class Migration(migrations.Migration):
    dependencies = [("orgs", "0012_identity_provider")]
    operations = [
        migrations.CreateModel(
            name="Edit",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("actor", models.CharField(max_length=120)),
                ("field", models.CharField(help_text="As declared in `editing.fields`.", max_length=80)),
                ("row_id", models.UUIDField()),
                ("before", models.TextField()),
                ("after", models.TextField()),
                ("undone_at", models.DateTimeField(null=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="edits", to="orgs.organisation"
                    ),
                ),
                (
                    "undoes",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="orgs.edit"
                    ),
                ),
            ],
            options={"indexes": [models.Index(fields=["org", "actor", "-at"], name="edit_by_actor")]},
        ),
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
    ]
