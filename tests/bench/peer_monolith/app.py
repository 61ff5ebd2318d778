"""The peer application; ``uvicorn --factory tests.bench.peer_monolith.app:create_app``."""

import asyncio
import json
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

from fastapi import Depends, FastAPI, HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from servicekit.settings import ServiceSettings
from tests.bench.peer_monolith.models import Base, Center, Outbox
from tests.bench.peer_monolith.publisher import publish_forever
from tests.bench.peer_monolith.schemas import CenterIn, CenterOut


@lru_cache
def _keys() -> KeySet:
    return KeySet.import_key_set(json.loads(Path(os.environ["PEER_JWKS"]).read_text("utf-8")))


@lru_cache(maxsize=10_000)
def _claims(token: str) -> dict[str, Any]:
    # Verified once for each token: to do it for each request would cost the peer a
    # signature check that Peyvand does not pay either.
    return jwt.decode(token, _keys(), algorithms=["Ed25519"]).claims


async def caller(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())],
) -> dict[str, Any]:
    try:
        claims = _claims(credentials.credentials)
    except (JoseError, ValueError):
        raise HTTPException(401, "the token is not valid") from None
    if claims["exp"] < time.time():
        raise HTTPException(401, "the token has expired")
    return claims


async def hq_admin(claims: Annotated[dict[str, Any], Depends(caller)]) -> dict[str, Any]:
    if "hq_admin" not in claims["roles"]:
        raise HTTPException(403, "only for the headquarters")
    return claims


async def database(request: Request) -> AsyncGenerator[AsyncSession]:
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(database)]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
    engine = create_async_engine(os.environ["PEER_DATABASE_URL"], pool_size=10, max_overflow=0)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    app.state.sessions = async_sessionmaker(engine, expire_on_commit=False)
    publisher = asyncio.create_task(
        publish_forever(app.state.sessions, ServiceSettings.from_environment().broker)
    )
    yield
    publisher.cancel()
    await asyncio.gather(publisher, return_exceptions=True)
    await engine.dispose()


def create_app() -> FastAPI:
    app = FastAPI(lifespan=lifespan)

    @app.get("/livez")
    async def livez() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/v1/centers/{center_id}", dependencies=[Depends(caller)])
    async def get_center(center_id: str, session: Session, response: Response) -> CenterOut:
        center = await session.get(Center, center_id)
        if center is None:
            raise HTTPException(404, f"there is no center {center_id}")
        response.headers["ETag"] = f'"v{center.version}"'
        return CenterOut.model_validate(center)

    @app.post("/v1/centers", status_code=201, dependencies=[Depends(hq_admin)])
    async def create_center(body: CenterIn, session: Session, response: Response) -> CenterOut:
        now = datetime.now(UTC)
        center = Center(
            id=f"ctr_{uuid4().hex}",
            **body.model_dump(),
            state="planned",
            state_since=now,
            version=1,
            created_at=now,
            updated_at=now,
        )
        session.add(center)
        try:
            await session.flush()
            answer = CenterOut.model_validate(center)
            session.add(
                Outbox(
                    event_id=uuid4(),
                    subject=f"peer.center.created.{center.id}",
                    payload=answer.model_dump(mode="json"),
                )
            )
            await session.commit()
        except IntegrityError:
            raise HTTPException(409, f"the code {body.code} is taken") from None
        response.headers["ETag"] = f'"v{center.version}"'
        response.headers["Location"] = f"/v1/centers/{center.id}"
        return answer

    del livez, get_center, create_center
    return app
