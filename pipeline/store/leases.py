"""Leases: who is looking at which sample, so that no two reviewers get the same one unless the overlap asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert

from pipeline.store.schema import leases


def give_back(connection: Connection, sample_id: str, reviewer: str) -> None:
    """End a lease."""
    connection.execute(delete(leases).where(leases.c.sample_id == sample_id, leases.c.reviewer == reviewer))


def hold(connection: Connection, sample_ids: Sequence[str], reviewer: str, until: float) -> None:
    """Lease samples to a reviewer until a time in seconds since 1970."""
    if not sample_ids:
        return
    own = leases.c.reviewer == reviewer
    connection.execute(delete(leases).where(leases.c.sample_id.in_(sample_ids), own))
    rows = [{"sample_id": sample_id, "reviewer": reviewer, "until": until} for sample_id in sample_ids]
    connection.execute(insert(leases), rows)
