# Stands for python:3.11-slim: Debian's Python 3.11 under the names that the Dockerfiles use.
FROM localhost/peyvand-stand-in-debian:bookworm
RUN ln -s /usr/bin/python3.11 /usr/local/bin/python \
    && rm -f /usr/lib/python3.11/EXTERNALLY-MANAGED
