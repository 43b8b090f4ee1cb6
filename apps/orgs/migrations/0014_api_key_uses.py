"""From where an API key may be used, what replaced it, and how often it is used."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

POLICY = """
ALTER TABLE public.orgs_apikeyuse ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_apikeyuse FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_apikeyuse USING (public.check_row_access(org_id));
"""


class Migration(migrations.Migration):
    dependencies = [("orgs", "0013_edits")]
    operations = [
        migrations.AddField(
            model_name="apikey",
            name="networks",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=49),
                db_default=[],
                default=list,
                help_text="Address ranges from which it works; none: from everywhere.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="apikey",
            name="replaces",
            field=models.ForeignKey(
                help_text="The key in whose stead it was made.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="replaced_by",
                to="orgs.apikey",
            ),
        ),
        migrations.CreateModel(
            name="ApiKeyUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("day", models.DateField(help_text="In UTC.")),
                ("requests", models.BigIntegerField(default=0, help_text="Of the general API.")),
                ("deliveries", models.BigIntegerField(default=0, help_text="Requests at the doors for events.")),
                (
                    "key",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="uses", to="orgs.apikey"
                    ),
                ),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="orgs.organisation"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("key", "day"), name="api_key_use_by_day")],
            },
        ),
        migrations.RunSQL(POLICY, migrations.RunSQL.noop),
    ]
