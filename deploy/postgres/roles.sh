#!/bin/sh
# Run once by the postgres image on an empty volume: the two roles and the database that `make run` makes too
# (config/services/postgres_roles.py).
set -eu
psql --set ON_ERROR_STOP=1 --set owner_password="$OWNER_PASSWORD" --set app_password="$APP_PASSWORD" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE precise_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE precise_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app_password';
CREATE DATABASE precise OWNER precise_owner;
REVOKE ALL ON DATABASE precise FROM PUBLIC;
GRANT CONNECT ON DATABASE precise TO precise_app;
SQL
