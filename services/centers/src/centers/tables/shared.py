"""The metadata of this service, with the tables that every service has."""

from servicekit.service import ServiceTables

service_tables = ServiceTables()
metadata = service_tables.metadata
