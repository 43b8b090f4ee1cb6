from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]

    operations = [
        migrations.RemoveConstraint("quarantinedline", "quarantined_once"),
        migrations.RemoveField("quarantinedline", "batch_id"),
        migrations.AddField(
            "quarantinedline",
            "record_id",
            models.BigIntegerField(default=0, help_text="Of the ingest log."),
            preserve_default=False,
        ),
        # Rows from before knew their record's batch only; negative numbers keep them apart.
        migrations.RunSQL("UPDATE events_quarantinedline SET record_id = -id", migrations.RunSQL.noop),
        migrations.AddConstraint(
            "quarantinedline",
            models.UniqueConstraint(fields=["record_id", "position"], name="quarantined_once"),
        ),
    ]
