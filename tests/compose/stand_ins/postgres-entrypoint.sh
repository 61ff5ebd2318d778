#!/bin/sh
# What the official entrypoint does with the settings that docker-compose.yml gives.
set -eu
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    install -d -m 0700 "$PGDATA"
    # The settings are words, to be split.
    # shellcheck disable=SC2086
    initdb --username=postgres --pwfile="$POSTGRES_PASSWORD_FILE" ${POSTGRES_INITDB_ARGS:-}
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
fi
# The wheel's PostgreSQL has its sockets elsewhere.
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/var/run/postgresql
