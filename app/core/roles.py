"""Database roles: the SQL that makes them, and the guard that refuses to serve as one that could see too much."""

from psycopg import sql
from sqlalchemy import Connection, text

from app.core.errors import ConfigurationError

OWNER = "wizamart_owner"
LOGIN = "wizamart_login"
TENANT = "wizamart_tenant"
PLATFORM = "wizamart_platform"
IDENTITY = "wizamart_identity"
APPLICATION_ROLES = (TENANT, PLATFORM, IDENTITY)
# The server ends the sessions of a machine that is gone, and their locks with them, after some 25 s instead of 2 h.
_TCP = {
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "'20s'",
}
EXTENSIONS = ("pg_trgm", "unaccent", "btree_gist", "btree_gin")


def role_statements(owner_password: str | None, login_password: str | None) -> list[str]:
    """SQL for a superuser or CREATEROLE, idempotent, run once per server."""

    def create(role: str, options: str) -> str:
        return (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
            f"THEN CREATE ROLE {role} {options}; END IF; END $$"
        )

    statements = [
        create(OWNER, "LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT"),
        create(LOGIN, "LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT"),
        *(create(role, "NOLOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT") for role in APPLICATION_ROLES),
        *(f"GRANT {role} TO {LOGIN}" for role in APPLICATION_ROLES),
        *(f"ALTER ROLE {LOGIN} SET {name} = {value}" for name, value in _TCP.items()),
    ]
    for role, password in ((OWNER, owner_password), (LOGIN, login_password)):
        if password is not None:
            statements.append(f"ALTER ROLE {role} PASSWORD {sql.Literal(password).as_string()}")
    return statements


def database_statements(database: str) -> list[str]:
    """SQL run inside the platform's database: extensions, who may connect, who may make temporary tables."""
    name = sql.Identifier(database).as_string()
    everyone = ", ".join((OWNER, LOGIN, *APPLICATION_ROLES))
    return [
        *(f"CREATE EXTENSION IF NOT EXISTS {extension}" for extension in EXTENSIONS),
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {name} TO {everyone}",
        f"GRANT CREATE ON DATABASE {name} TO {OWNER}",
        "REVOKE ALL ON SCHEMA public FROM PUBLIC",
        f"GRANT USAGE, CREATE ON SCHEMA public TO {OWNER}",
        f"GRANT USAGE ON SCHEMA public TO {', '.join((LOGIN, *APPLICATION_ROLES))}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ]


_GUARD = text(
    """
    SELECT r.rolname AS name, r.rolsuper AS is_super, r.rolbypassrls AS bypasses, r.rolinherit AS inherits,
           EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.relowner = r.oid AND n.nspname = 'public') AS owns,
           EXISTS (SELECT FROM pg_roles o WHERE o.rolname = :owner AND pg_has_role(r.oid, o.oid, 'MEMBER')) AS is_owner
    FROM pg_roles r WHERE r.rolname = session_user
    """
)


def refuse_powerful_role(connection: Connection) -> None:
    """Raise ConfigurationError when the connected role could get round row-level security.

    Checked by every process of the application before it serves: tenants are kept apart by the database,
    which a superuser, a role with BYPASSRLS or the owner of the tables would not notice.
    """
    row = connection.execute(_GUARD, {"owner": OWNER}).one()
    reasons = [
        reason
        for applies, reason in (
            (row.is_super, "it is a superuser"),
            (row.bypasses, "it bypasses row security"),
            (row.owns, "it owns tables"),
            (row.is_owner, f"it is a member of {OWNER}"),
            (row.inherits, "it inherits rights (ALTER ROLE … NOINHERIT)"),
        )
        if applies
    ]
    if reasons:
        raise ConfigurationError(
            f"The database role {row.name!r} must not serve the application: {'; '.join(reasons)}. "
            f"Set WIZAMART_DATABASE_URL to the role {LOGIN}, which `wizamart db init` makes."
        )
