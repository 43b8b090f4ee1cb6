"""What the console edits of an organisation; logos and exports under row-level security."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import apps.orgs.models

POLICIES = """
ALTER TABLE public.orgs_logo ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_logo FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_logo USING (public.check_row_access(org_id));
ALTER TABLE public.orgs_export ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_export FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_export USING (public.check_row_access(org_id));
"""


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0014_api_key_uses"),
    ]

    operations = [
        migrations.CreateModel(
            name="Logo",
            fields=[
                (
                    "org",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="logo",
                        serialize=False,
                        to="orgs.organisation",
                    ),
                ),
                ("content", models.BinaryField(help_text="PNG.")),
                ("created_at", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField(
            model_name="membership",
            name="is_active",
            field=models.BooleanField(
                db_default=True, default=True, help_text="False: the person is known here, but may not enter."
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="accent",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="The colour of its pages; empty: ours.",
                max_length=7,
                validators=[apps.orgs.models.check_accent],
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="domain",
            field=models.CharField(
                blank=True,
                help_text="Of its e-mail addresses.",
                max_length=253,
                null=True,
                unique=True,
                validators=[apps.orgs.models.check_domain],
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="logo_digest",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Names the logo's bytes; empty: none.", max_length=16
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="requires_second_step",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="Whether its people must sign in with a second step to enter.",
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="salesforce_account_id",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=18,
                validators=[apps.orgs.models.check_salesforce_account],
            ),
        ),
        migrations.AddField(
            model_name="organisation",
            name="ttd_advertiser_id",
            field=models.CharField(
                blank=True,
                help_text="At The Trade Desk.",
                max_length=40,
                null=True,
                unique=True,
                validators=[apps.orgs.models.check_advertiser],
            ),
        ),
        migrations.AlterField(
            model_name="organisation",
            name="raw_event_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                help_text="How long single events are kept after their arrival; sums are kept for two years.",
                validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(366)],
            ),
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("running", "Running"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("gone", "Removed"),
                        ],
                        default="waiting",
                        max_length=8,
                    ),
                ),
                ("asked_by", models.CharField(max_length=120)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("size", models.BigIntegerField(default=0)),
                ("digest", models.CharField(blank=True, default="", help_text="SHA-256 of the file.", max_length=64)),
                ("error", models.CharField(blank=True, default="", max_length=400)),
                (
                    "org",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exports", to="orgs.organisation"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(POLICIES, migrations.RunSQL.noop),
    ]
