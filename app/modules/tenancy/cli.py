"""``wizamart vendor``, ``wizamart platform`` and ``wizamart user``: tenants and people of an installation."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

import typer
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.core.config import get_settings
from app.core.console import print_rows
from app.core.database import SYSTEM, IdentityScope, acting_in, unit_of_work
from app.core.errors import ForbiddenError
from app.core.ids import to_public
from app.modules import lifecycle
from app.modules.platform import running_platform
from app.modules.tenancy.exceptions import PlatformNotFoundError, UserNotFoundError, VendorNotFoundError
from app.modules.tenancy.models.tenant import Platform
from app.modules.tenancy.models.user import User
from app.modules.tenancy.services import (
    audit_service,
    company_service,
    identity_service,
    impersonation_service,
    platform_service,
    user_service,
    vendor_service,
)

platform_app = typer.Typer(help="Platforms of the operator.", no_args_is_help=True)
vendor_app = typer.Typer(help="Vendors.", no_args_is_help=True)
user_app = typer.Typer(help="People who sign in.", no_args_is_help=True)
groups = {"platform": platform_app, "vendor": vendor_app, "user": user_app}

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_Email = Annotated[str, typer.Argument(help="Address that they sign in with.")]
_Password = Annotated[
    str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, envvar="WIZAMART_NEW_PASSWORD")
]


@platform_app.callback()
def _group() -> None:
    """A group of one command keeps its name."""


@platform_app.command("create")
def create_platform(code: str, name: Annotated[str, typer.Option(help="Shown to people.")]) -> None:
    """Make a platform with every installed module on.

    Example: wizamart platform create oms --name "Order management"
    """
    with running_platform(), unit_of_work(SYSTEM) as session:
        platform_id = platform_service.create_platform(session, code=code, name=name)
        lifecycle.enable_all(session, platform_id, by="command line")
    typer.echo(f"Platform {code} is ready. Next: wizamart vendor create …", err=True)


@vendor_app.command("create")
def create_vendor(
    code: str,
    name: Annotated[str, typer.Option(help="Name of the shop.")],
    company: Annotated[str, typer.Option(help="Name of the new company that owns it.")],
    owner_email: Annotated[str, typer.Option(help="Who will own it; a new account.")],
    password: _Password,
    platform: Annotated[str, typer.Option(help="Code of its platform.")] = "demo",
    language: Annotated[str, typer.Option(help="en, fr, de or lb.")] = "fr",
) -> None:
    """Make a company with one vendor and its owner, all or nothing.

    Example: wizamart vendor create SHOP --name "My shop" --company "My company" --owner-email me@example.com
    """
    with running_platform(), unit_of_work(SYSTEM) as session:
        platform_id = session.scalar(select(Platform.id).where(Platform.code == platform))
        if platform_id is None:
            raise PlatformNotFoundError(
                f"There is no platform {platform!r}. Make it: wizamart platform create {platform} …",
                platform_code=platform,
            )
        company_id = company_service.create_company(session, name=company, contact_email=owner_email)
        vendor_service.create_vendor(
            session,
            company_id=company_id,
            platform_ids=[platform_id],
            code=code,
            name=name,
            language=language,
        )
        with acting_in(session, IdentityScope()):
            user_id = user_service.create_user(
                session, email=owner_email, name=owner_email.partition("@")[0], password=password
            )
            user_service.add_membership(session, user_id, company_id=company_id)
    typer.echo(f"Vendor {code.upper()} is ready: sign in at /vendor as {owner_email}.", err=True)


@vendor_app.command("list")
def list_vendors(as_json: _Json = False) -> None:
    """All vendors.

    Example: wizamart vendor list --json
    """
    with running_platform(), unit_of_work(SYSTEM) as session:
        rows = [
            {
                "code": vendor.code,
                "name": vendor.name,
                "language": vendor.default_language,
                "active": vendor.is_active,
            }
            for vendor in vendor_service.list_vendors(session)
        ]
    print_rows(rows, as_json)


@vendor_app.command("act-as-link")
def act_as_link(
    code: Annotated[str, typer.Argument(help="Code of the vendor.")],
    admin: Annotated[str, typer.Option(help="Address of the operator who acts; they need the right to.")],
) -> None:
    """Print a link that opens the vendor's pages once, within a minute, for an hour, as its first owner.

    What is done there is written down as the operator's.

    Example: wizamart vendor act-as-link MOSELLE --admin admin@wizamart.example
    """
    with running_platform():
        with unit_of_work(IdentityScope()) as session:
            holder = identity_service.admin_holder(session, _user(session, admin).id)
        if holder is None or "tenancy.vendors.impersonate" not in holder.permissions:
            raise ForbiddenError(f"{admin} may not act as a vendor.")
        with unit_of_work(holder.scope) as session:
            vendor_id = vendor_service.find_vendor_id(session, code.upper())
            if vendor_id is None:
                raise VendorNotFoundError(f"There is no vendor {code.upper()!r}.", vendor_code=code)
            token = impersonation_service.make_link(session, vendor_id, holder.user_id)
        base_url = get_settings().base_url.rstrip("/")
    typer.echo(f"{base_url}/vendor/act-as?token={quote(token)}")
    typer.echo(f"Open it within {impersonation_service.LINK_SECONDS} seconds; it works once.", err=True)


@user_app.command("create-admin")
def create_admin(
    email: str, name: Annotated[str, typer.Option(help="Shown to people.")], password: _Password
) -> None:
    """Make a super admin, who may do everything on all platforms.

    Example: wizamart user create-admin me@example.com --name "My name"
    """
    with running_platform():
        with unit_of_work(IdentityScope()) as session:
            user_id = user_service.create_user(
                session, email=email, name=name, password=password, is_super_admin=True
            )
        with unit_of_work(SYSTEM) as session:
            audit_service.record(
                session,
                "tenancy.super_admin_created",
                target=to_public("usr", user_id),
                by=user_service.COMMAND_LINE,
            )
    typer.echo(f"{email} may sign in at /admin.", err=True)


@user_app.command("hold")
def hold_user(email: _Email) -> None:
    """Let somebody sign in no more, and end their sessions.

    Example: wizamart user hold team@moselle.example
    """
    _change(email, user_service.deactivate)
    typer.echo(f"{email} can sign in no more. Undo it: wizamart user release {email}", err=True)


@user_app.command("release")
def release_user(email: _Email) -> None:
    """Let somebody sign in again who was put on hold.

    Example: wizamart user release team@moselle.example
    """
    _change(email, user_service.reactivate)
    typer.echo(f"{email} can sign in again.", err=True)


@user_app.command("2fa-reset")
def reset_two_step(email: _Email) -> None:
    """Switch the second step off for somebody who lost their phone and their recovery codes.

    Example: wizamart user 2fa-reset owner@moselle.example
    """
    _change(email, user_service.reset_two_step)
    typer.echo(f"{email} signs in with the password alone until they set the second step up anew.", err=True)


def _change(email: str, act: Callable[[Session, UUID, None], object]) -> None:
    with running_platform(), unit_of_work(IdentityScope()) as session:
        act(session, _user(session, email).id, None)


def _user(session: Session, email: str) -> User:
    user = user_service.find_user(session, email)
    if user is None:
        raise UserNotFoundError(f"Nobody has the address {email}.", email=email)
    return user
