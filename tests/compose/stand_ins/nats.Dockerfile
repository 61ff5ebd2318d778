# Stands for nats:2.15-alpine: the same server, and a wget for the health check.
FROM localhost/peyvand-stand-in-debian:bookworm
COPY nats-server /usr/local/bin/nats-server
ENTRYPOINT ["nats-server"]
