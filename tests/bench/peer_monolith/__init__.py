"""The peer of the bench: centers as a plain FastAPI and SQLAlchemy application.

This is what a team would write that needs centers and nothing else of Peyvand: one
process, the ORM, Pydantic models, one router, an outbox beside each write and a task
that publishes it. It answers with the same content as Peyvand, checks the same rules,
wants the same tokens, and keeps its data on the same PostgreSQL server.

It does less in one respect: it knows no idempotency keys, and it keeps no history of
steps. Whoever reads the figures should know that Peyvand does both within each write.
"""
