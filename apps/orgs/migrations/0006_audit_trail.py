"""The audit trail by year, sealed into a chain of hashes, and closed to every change.

Three walls: the application role may only add and read; a trigger refuses changes to the owner as well; and whoever
gets past both breaks the chain of seals, which `manage.py verify_audit` finds.
"""

from django.conf import settings
from django.db import migrations, models

TABLE = """
ALTER TABLE public.orgs_auditentry RENAME TO audit_before;
DROP INDEX public.audit_by_org;
CREATE SEQUENCE public.orgs_auditentry_seq;
CREATE TABLE public.orgs_auditentry (
    id bigint NOT NULL DEFAULT nextval('public.orgs_auditentry_seq'),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    org_id uuid REFERENCES public.orgs_organisation (id),
    actor varchar(120) NOT NULL,
    action varchar(80) NOT NULL,
    target varchar(160) NOT NULL DEFAULT '',
    origin varchar(80) NOT NULL DEFAULT '',
    detail jsonb NOT NULL,
    PRIMARY KEY (id, at)
) PARTITION BY RANGE (at);
ALTER SEQUENCE public.orgs_auditentry_seq OWNED BY public.orgs_auditentry.id;
CREATE INDEX audit_by_org ON public.orgs_auditentry (org_id, id DESC);
ALTER TABLE public.orgs_auditentry ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.orgs_auditentry FORCE ROW LEVEL SECURITY;
CREATE POLICY access_policy ON public.orgs_auditentry USING (public.check_row_access(org_id));

CREATE TABLE public.orgs_auditseal (
    id bigint PRIMARY KEY,
    entry_id bigint NOT NULL UNIQUE,
    entry_at timestamptz NOT NULL,
    content bytea NOT NULL,
    digest bytea NOT NULL
);
"""

# A partition is asked through its parent only. Its own policy stands for whoever gets a grant on it all the same.
CLOSE = """
CREATE FUNCTION public.close_audit_partition(part regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    granted record;
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', part);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', part);
    EXECUTE format('CREATE POLICY access_policy ON %s USING (public.check_row_access(org_id))', part);
    FOR granted IN
        SELECT DISTINCT a.grantee::regrole AS role FROM pg_class AS c, aclexplode(c.relacl) AS a
        WHERE c.oid = part AND a.grantee NOT IN (c.relowner, 0)
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', part, granted.role);
    END LOOP;
END
$$;
REVOKE ALL ON FUNCTION public.close_audit_partition(regclass) FROM PUBLIC;
CREATE TABLE public.orgs_auditentry_other PARTITION OF public.orgs_auditentry DEFAULT;
SELECT public.close_audit_partition('public.orgs_auditentry_other');
"""

# This year's and the next one's are made; a year is dropped once all of it is older than `keep_years`.
PARTITIONS = """
CREATE FUNCTION public.keep_audit_partitions(keep_years int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this_year int := extract(year FROM now() AT TIME ZONE 'UTC');
    part text;
    dropped int := 0;
BEGIN
    IF keep_years < 7 THEN
        RAISE EXCEPTION 'the audit trail is kept for 7 years at least';
    END IF;
    FOR year IN this_year .. this_year + 1 LOOP
        part := 'public.orgs_auditentry_' || year;
        IF to_regclass(part) IS NULL THEN
            EXECUTE format('CREATE TABLE %s PARTITION OF public.orgs_auditentry FOR VALUES FROM (%L) TO (%L)',
                           part, make_timestamptz(year, 1, 1, 0, 0, 0, 'UTC'),
                           make_timestamptz(year + 1, 1, 1, 0, 0, 0, 'UTC'));
            PERFORM public.close_audit_partition(part::regclass);
        END IF;
    END LOOP;
    FOR part IN
        SELECT c.relname FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'public.orgs_auditentry'::regclass AND c.relname ~ '^orgs_auditentry_[0-9]{4}$'
            AND right(c.relname, 4)::int < this_year - keep_years
    LOOP
        EXECUTE format('DROP TABLE public.%I', part);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION public.keep_audit_partitions(int) FROM PUBLIC;
SELECT public.keep_audit_partitions(7);
"""

# What a seal is made over. Text, so that it can be made again by whoever can read the row.
CONTENT = """
CREATE FUNCTION public.audit_content(entry public.orgs_auditentry) RETURNS text
LANGUAGE sql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
    SELECT jsonb_build_array(
        entry.id, (extract(epoch FROM entry.at) * 1000000)::bigint, entry.org_id, entry.actor, entry.action,
        entry.target, entry.origin, entry.detail)::text
$$;
"""

# Entries of transactions that end late come after others with higher ids: hence the look back over some of them.
SEAL = """
CREATE FUNCTION public.seal_audit() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held text := current_setting('app.user_role', true);
    last public.orgs_auditseal;
    entry record;
    sealed int := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('seal_audit'));
    PERFORM set_config('app.user_role', 'service', true);
    SELECT * INTO last FROM public.orgs_auditseal ORDER BY id DESC LIMIT 1;
    FOR entry IN
        SELECT e.id, e.at, sha256(convert_to(public.audit_content(e), 'UTF8')) AS content
        FROM public.orgs_auditentry AS e
        WHERE e.id > coalesce((SELECT max(s.entry_id) FROM public.orgs_auditseal AS s), 0) - 10000
            AND NOT EXISTS (SELECT FROM public.orgs_auditseal AS s WHERE s.entry_id = e.id)
        ORDER BY e.id LIMIT 10000
    LOOP
        last.id := coalesce(last.id, 0) + 1;
        last.digest := sha256(coalesce(last.digest, '') || entry.content);
        INSERT INTO public.orgs_auditseal (id, entry_id, entry_at, content, digest)
        VALUES (last.id, entry.id, entry.at, entry.content, last.digest);
        sealed := sealed + 1;
    END LOOP;
    PERFORM set_config('app.user_role', coalesce(held, ''), true);
    RETURN sealed;
END
$$;
REVOKE ALL ON FUNCTION public.seal_audit() FROM PUBLIC;
"""

MOVE = """
INSERT INTO public.orgs_auditentry (id, at, org_id, actor, action, detail)
SELECT id, at, org_id, actor, action, detail FROM public.audit_before;
SELECT setval('public.orgs_auditentry_seq', (SELECT coalesce(max(id), 0) + 1 FROM public.audit_before), false);
DROP TABLE public.audit_before;
"""

TRIGGERS = """
CREATE FUNCTION public.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is added to, never changed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.orgs_auditentry
    FOR EACH ROW EXECUTE FUNCTION public.refuse_audit_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON public.orgs_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON public.orgs_auditseal
    FOR EACH ROW EXECUTE FUNCTION public.refuse_audit_change();
CREATE TRIGGER append_only_whole BEFORE TRUNCATE ON public.orgs_auditseal
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_audit_change();
"""


def move_entries(apps, schema_editor):
    """The old table's policy binds the owner too."""
    schema_editor.execute("SELECT set_config('app.user_role', 'service', true)")
    schema_editor.execute(MOVE)


def grant_to_application(apps, schema_editor):
    role = schema_editor.quote_name(settings.DATABASES["default"]["USER"])
    schema_editor.execute(f"""
        REVOKE ALL ON public.orgs_auditentry, public.orgs_auditseal FROM {role};
        GRANT SELECT, INSERT ON public.orgs_auditentry TO {role};
        GRANT SELECT ON public.orgs_auditseal TO {role};
        GRANT EXECUTE ON FUNCTION public.keep_audit_partitions(int), public.seal_audit() TO {role};
    """)


class Migration(migrations.Migration):
    dependencies = [("orgs", "0005_platform_roles")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLE), migrations.RunSQL(CLOSE), migrations.RunSQL(PARTITIONS)],
            state_operations=[
                migrations.AddField("auditentry", "target", models.CharField(max_length=160, blank=True, default="")),
                migrations.AddField("auditentry", "origin", models.CharField(max_length=80, blank=True, default="")),
                migrations.RemoveIndex("auditentry", "audit_by_org"),
                migrations.AddIndex("auditentry", models.Index(fields=["org", "-id"], name="audit_by_org")),
                migrations.CreateModel(
                    name="AuditSeal",
                    fields=[
                        ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                        ("entry_id", models.BigIntegerField(unique=True)),
                        ("entry_at", models.DateTimeField()),
                        ("content", models.BinaryField()),
                        ("digest", models.BinaryField()),
                    ],
                ),
            ],
        ),
        migrations.RunPython(move_entries, migrations.RunPython.noop),
        migrations.RunSQL(CONTENT),
        migrations.RunSQL(SEAL),
        migrations.RunSQL(TRIGGERS),
        migrations.RunPython(grant_to_application, migrations.RunPython.noop),
    ]
