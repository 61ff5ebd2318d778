# Stands for prom/prometheus: Debian's Prometheus, as the user that the official image has.
FROM localhost/peyvand-stand-in-debian:bookworm
COPY prometheus promtool /bin/
RUN install -d -o 65534 -g 65534 /prometheus
USER 65534
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]
