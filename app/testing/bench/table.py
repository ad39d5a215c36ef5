"""The table for small writes."""

from sqlalchemy import text

from app.core.roles import PLATFORM

CREATE = text(f"CREATE TABLE bench_effects (n int); GRANT SELECT, INSERT ON bench_effects TO {PLATFORM}")
WRITE = text("INSERT INTO bench_effects (n) VALUES (1)")
