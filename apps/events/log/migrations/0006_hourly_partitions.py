"""The log in partitions of an hour, by the time of arrival.

What is there already becomes one partition, up to the next full hour: nothing is copied, however much it is. Making and
dropping partitions goes through one function of the owner's, since the application's role owns nothing.
"""

from django.conf import settings
from django.db import migrations, models

# The new table takes over name, columns, checks, indexes and foreign key; the old one stays as its first partition.
PARTITION = """
DO $$
DECLARE
    one record;
    highest bigint;
    until timestamptz;
    is_empty boolean;
BEGIN
    PERFORM set_config('app.user_role', 'service', true);
    PERFORM set_config('timezone', 'UTC', true);
    ALTER TABLE public.ingest_log_logrecord RENAME TO ingest_log_logrecord_before;
    LOCK TABLE public.ingest_log_logrecord_before IN ACCESS EXCLUSIVE MODE;
    SELECT coalesce(max(id), 0), NOT EXISTS (SELECT FROM public.ingest_log_logrecord_before),
           date_trunc('hour', greatest(now(), max(created_at))) + interval '1 hour'
      INTO highest, is_empty, until FROM public.ingest_log_logrecord_before;
    highest := greatest(highest, nextval(pg_get_serial_sequence('public.ingest_log_logrecord_before', 'id')));
    ALTER TABLE public.ingest_log_logrecord_before ALTER COLUMN id DROP IDENTITY IF EXISTS;
    EXECUTE format('ALTER TABLE public.ingest_log_logrecord_before DROP CONSTRAINT %I', (
        SELECT conname FROM pg_constraint
        WHERE conrelid = 'public.ingest_log_logrecord_before'::regclass AND contype = 'p'));

    CREATE TABLE public.ingest_log_logrecord
        (LIKE public.ingest_log_logrecord_before INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)
        PARTITION BY RANGE (created_at);
    EXECUTE format('CREATE SEQUENCE public.ingest_log_logrecord_number START %s', highest + 1);
    ALTER SEQUENCE public.ingest_log_logrecord_number OWNED BY public.ingest_log_logrecord.id;
    ALTER TABLE public.ingest_log_logrecord
        ALTER COLUMN id SET DEFAULT nextval('public.ingest_log_logrecord_number'),
        ADD CONSTRAINT ingest_log_logrecord_by_time PRIMARY KEY (id, created_at);
    FOR one IN
        SELECT i.indexname AS name, i.indexdef AS definition FROM pg_indexes AS i
        WHERE i.schemaname = 'public' AND i.tablename = 'ingest_log_logrecord_before'
    LOOP
        EXECUTE format('ALTER INDEX public.%I RENAME TO %I', one.name, left(one.name, 55) || '_before');
        EXECUTE replace(one.definition, 'ingest_log_logrecord_before', 'ingest_log_logrecord');
    END LOOP;
    FOR one IN
        SELECT c.conname AS name, pg_get_constraintdef(c.oid) AS definition FROM pg_constraint AS c
        WHERE c.conrelid = 'public.ingest_log_logrecord_before'::regclass AND c.contype = 'f'
    LOOP
        EXECUTE format('ALTER TABLE public.ingest_log_logrecord ADD CONSTRAINT %I %s', one.name, one.definition);
    END LOOP;
    ALTER TABLE public.ingest_log_logrecord ENABLE ROW LEVEL SECURITY;
    ALTER TABLE public.ingest_log_logrecord FORCE ROW LEVEL SECURITY;
    CREATE POLICY access_policy ON public.ingest_log_logrecord USING (public.check_row_access(org_id));

    IF is_empty THEN
        DROP TABLE public.ingest_log_logrecord_before;
    ELSE
        ALTER TABLE public.ingest_log_logrecord_before ADD PRIMARY KEY (id, created_at);
        EXECUTE format('ALTER TABLE public.ingest_log_logrecord ATTACH PARTITION public.ingest_log_logrecord_before'
                       ' FOR VALUES FROM (MINVALUE) TO (%L)', until);
    END IF;
    PERFORM set_config('app.user_role', '', true);
END
$$;
"""

# For who makes partitions only. Nobody reads or writes a partition by its own name, and its rows are guarded even so.
GUARD = """
CREATE FUNCTION public.ingest_log_guard(partition text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition);
    EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition);
    IF NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = format('public.%I', partition)::regclass) THEN
        EXECUTE format('CREATE POLICY access_policy ON public.%I USING (public.check_row_access(org_id))', partition);
    END IF;
    EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, {role}', partition);
END
$$;
REVOKE ALL ON FUNCTION public.ingest_log_guard(text) FROM PUBLIC;
"""

# Bounds of each partition; the default one has none.
BOUNDS = """
CREATE VIEW public.ingest_log_partition WITH (security_invoker = true) AS
SELECT c.relname::text AS name,
       substring(pg_get_expr(c.relpartbound, c.oid) FROM $$FROM \\('([^']+)'\\)$$)::timestamptz AS starts_at,
       substring(pg_get_expr(c.relpartbound, c.oid) FROM $$TO \\('([^']+)'\\)$$)::timestamptz AS ends_at
FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'public.ingest_log_logrecord'::regclass;
"""

# Makes one hour's partition, and brings there what the default one holds of that hour.
MAKE = """
CREATE FUNCTION public.ingest_log_make(hour timestamptz) RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    name text := 'ingest_log_' || to_char(hour, 'YYYYMMDD"t"HH24');
BEGIN
    IF EXISTS (SELECT FROM public.ingest_log_partition AS p
               WHERE p.ends_at > hour AND (p.starts_at IS NULL OR p.starts_at <= hour)) THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.ingest_log_logrecord'
                   ' INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', name);
    PERFORM public.ingest_log_guard(name);
    LOCK TABLE public.ingest_log_logrecord_default IN ACCESS EXCLUSIVE MODE;
    EXECUTE format('WITH moved AS (DELETE FROM public.ingest_log_logrecord_default'
                   ' WHERE created_at >= $1 AND created_at < $1 + interval ''1 hour'' RETURNING *)'
                   ' INSERT INTO public.%I SELECT * FROM moved', name) USING hour;
    SET CONSTRAINTS ALL IMMEDIATE;
    EXECUTE format('ALTER TABLE public.ingest_log_logrecord ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                   name, hour, hour + interval '1 hour');
    RETURN true;
END
$$;
REVOKE ALL ON FUNCTION public.ingest_log_make(timestamptz) FROM PUBLIC;
"""

# Waits for no lock longer than a second: what it does not get done now, it does the next time, and writers are not kept
# waiting behind it.
TEND = """
CREATE FUNCTION public.ingest_log_tend(ahead_hours integer, keep_hours integer)
RETURNS TABLE (name text, outcome text, waiting bigint, failed bigint)
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '1s' AS $$
DECLARE
    this_hour timestamptz := date_trunc('hour', now());
    hour timestamptz;
    one record;
    droppable text[] := '{}';
    dropped text[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(1347568963, 5) THEN
        RETURN;  -- somebody else is at it
    END IF;
    FOR hour IN
        SELECT h FROM generate_series(this_hour - interval '1 hour', this_hour + ahead_hours * interval '1 hour', '1 hour') AS h
        UNION
        SELECT h FROM (SELECT DISTINCT date_trunc('hour', d.created_at) AS h
                       FROM public.ingest_log_logrecord_default AS d ORDER BY 1 LIMIT 48) AS beside
        ORDER BY 1
    LOOP
        BEGIN
            IF public.ingest_log_make(hour) THEN
                RETURN QUERY SELECT to_char(hour, 'YYYY-MM-DD"T"HH24'), 'made', 0::bigint, 0::bigint;
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            RETURN QUERY SELECT to_char(hour, 'YYYY-MM-DD"T"HH24'), 'busy', 0::bigint, 0::bigint;
            EXIT;
        END;
    END LOOP;
    FOR one IN SELECT p.name FROM public.ingest_log_partition AS p
               WHERE p.ends_at <= now() - keep_hours * interval '1 hour' ORDER BY p.ends_at
    LOOP
        EXECUTE format('SELECT count(*) FILTER (WHERE error = ''''), count(*) FILTER (WHERE error <> '''')'
                       ' FROM public.%I WHERE done_at IS NULL', one.name) INTO waiting, failed;
        IF waiting + failed = 0 THEN
            droppable := droppable || one.name;
        ELSE
            RETURN QUERY SELECT one.name, 'kept', waiting, failed;
        END IF;
    END LOOP;
    IF droppable = '{}' THEN
        RETURN;
    END IF;
    BEGIN
        LOCK TABLE ONLY public.ingest_log_logrecord IN ACCESS EXCLUSIVE MODE;
        FOREACH name IN ARRAY droppable LOOP
            EXECUTE format('SELECT count(*) FROM public.%I WHERE done_at IS NULL', name) INTO waiting;
            CONTINUE WHEN waiting > 0;
            EXECUTE format('DROP TABLE public.%I', name);
            dropped := dropped || name;
        END LOOP;
        RETURN QUERY SELECT d, 'dropped', 0::bigint, 0::bigint FROM unnest(dropped) AS d;
    EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
        RETURN QUERY SELECT droppable[1], 'busy', 0::bigint, 0::bigint;
    END;
END
$$;
REVOKE ALL ON FUNCTION public.ingest_log_tend(integer, integer) FROM PUBLIC;
"""

# The one door for the application's role.
DOOR = """
CREATE FUNCTION public.tend_ingest_log(ahead_hours integer, keep_hours integer)
RETURNS TABLE (name text, outcome text, waiting bigint, failed bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    held text := current_setting('app.user_role', true);
BEGIN
    IF ahead_hours IS NULL OR ahead_hours NOT BETWEEN 1 AND 168 THEN
        RAISE EXCEPTION 'ahead_hours must be from 1 to 168' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF keep_hours IS NULL OR keep_hours NOT BETWEEN 24 AND 87600 THEN
        RAISE EXCEPTION 'keep_hours must be from 24 to 87600' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM set_config('app.user_role', 'service', true);
    RETURN QUERY SELECT * FROM public.ingest_log_tend(ahead_hours, keep_hours);
    PERFORM set_config('app.user_role', coalesce(held, ''), true);
END
$$;
REVOKE ALL ON FUNCTION public.tend_ingest_log(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.tend_ingest_log(integer, integer) TO {role};
"""

DEFAULT = """
CREATE TABLE public.ingest_log_logrecord_default
    (LIKE public.ingest_log_logrecord INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE);
SELECT public.ingest_log_guard('ingest_log_logrecord_default');
ALTER TABLE public.ingest_log_logrecord ATTACH PARTITION public.ingest_log_logrecord_default DEFAULT;
"""


def make(apps, schema_editor):
    role = schema_editor.quote_name(settings.DATABASES["default"]["USER"])
    for statement in (PARTITION, GUARD.replace("{role}", role), BOUNDS, MAKE, TEND):
        schema_editor.execute(statement, None)
    schema_editor.execute(DEFAULT, None)
    schema_editor.execute(
        f"DO $$ BEGIN IF to_regclass('public.ingest_log_logrecord_before') IS NOT NULL THEN"
        f" PERFORM public.ingest_log_guard('ingest_log_logrecord_before'); END IF; END $$;"
        f" GRANT SELECT ON public.ingest_log_partition TO {role}",
        None,
    )
    schema_editor.execute(DOOR.replace("{role}", role), None)
    schema_editor.execute("SELECT count(*) FROM public.tend_ingest_log(48, 87600)", None)


class Migration(migrations.Migration):
    dependencies = [("ingest_log", "0005_arrivals_by_minute"), ("orgs", "0005_platform_roles")]
    operations = [
        migrations.RemoveIndex("logrecord", "log_done"),
        migrations.RunPython(make, migrations.RunPython.noop),
        migrations.AddIndex(
            "logrecord",
            models.Index(fields=["id"], name="log_failed", condition=~models.Q(error="")),
        ),
    ]
