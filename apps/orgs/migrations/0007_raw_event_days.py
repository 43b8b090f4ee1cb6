from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgs", "0006_audit_trail"),
    ]

    operations = [
        migrations.AddField(
            model_name="organisation",
            name="raw_event_days",
            field=models.PositiveSmallIntegerField(
                default=30,
                help_text="How long single events are kept after their arrival; sums are kept for two years.",
            ),
        ),
    ]
