"""What the services have written, as their databases say: the other side of an answer."""

from hubkit.topology import SERVICES
from peyvandctl.cluster import Cluster

DATABASES = tuple(service.name for service in SERVICES if service.has_database)


async def count(cluster: Cluster, service: str, query: str, *values: object) -> int:
    """Answer a query for one number in the database of a service."""
    connection = await cluster.postgres.connect(service)
    try:
        (found,) = (await connection.fetch(query, *values))[0]
        return int(found)
    finally:
        await connection.close()


async def events_written(cluster: Cluster) -> dict[str, int]:
    """Events that each service has written, published or not."""
    return {
        service: await count(cluster, service, "SELECT count(*) FROM outbox")
        for service in DATABASES
    }
