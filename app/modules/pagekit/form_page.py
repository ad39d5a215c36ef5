"""The doors of a form page: shown by GET, sent by POST to the same address."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Request, Response
from starlette.datastructures import FormData

from app.core.errors import ValidationFailedError
from app.core.i18n import has_message
from app.core.ids import new_id
from app.modules import idempotency
from app.modules.base import Area
from app.modules.gates import PlanError
from app.modules.menu import pages
from app.modules.pagekit.forms import Field, FormSpec, read_form
from app.modules.pages import PageContext
from app.modules.routing import AreaRouter

_MOST_FIELDS = 1000


async def _read(request: Request) -> FormData:
    return await request.form(max_fields=_MOST_FIELDS, max_files=5)


FormValues = Annotated[FormData, Depends(_read)]


def mount_form(router: AreaRouter, spec: FormSpec | Callable[[Area], FormSpec]) -> None:
    """Give a module's router the doors of a form page, or in each of its areas of the one that ``spec`` makes for it.

    A form sent twice acts once.
    """
    if not isinstance(spec, FormSpec):
        for area in router.areas:
            mount_form(router.within(area), spec(area))
        return

    def show(ctx: PageContext) -> Response:
        """The form, with what is known already."""
        return show_form(ctx, spec)

    def send(ctx: PageContext, form: FormValues) -> Response:
        """Check and save, or show the form again with what is to be corrected."""
        return send_form(ctx, spec, form)

    page = router.declared(spec.page_id)
    router.page(spec.page_id)(show)
    router.action(
        page.path,
        permission=page.permission,
        max_body_bytes=spec.max_body_bytes,
        in_read_only=spec.in_read_only,
    )(send)


def show_form(
    ctx: PageContext,
    spec: FormSpec,
    *,
    typed: Mapping[str, Any] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
    **context: Any,
) -> Response:
    """The form page. ``typed``: what to show in place of what ``load`` says."""
    loaded = spec.load(ctx) if typed is None else typed
    title = spec.title(ctx) if spec.title else ctx.t(pages()[spec.page_id].title_key)
    return ctx.render(
        spec.template,
        status=status,
        title=title,
        spec=spec,
        fields=spec.fields_for(ctx),
        values=loaded,
        errors=errors or {},
        version=loaded.get("version"),
        form_token=context.pop("form_token", None) or str(new_id()),
        action=_own_address(ctx),
        back=_back(ctx, spec),
        theirs=context.pop("theirs", []),
        **spec.extra(ctx),  # noqa: S610 - no query
        **context,
    )


def _own_address(ctx: PageContext) -> str:
    path = ctx.request.url.path
    return f"{path}?{urlencode({'from': ctx.origin})}" if ctx.origin else path


def _back(ctx: PageContext, spec: FormSpec) -> tuple[str, str] | None:
    if spec.back is None:
        return None
    url, text = spec.back(ctx)
    return ctx.with_origin(url), text


def send_form(ctx: PageContext, spec: FormSpec, form: FormData) -> Response:
    """What the POST of a form page does."""
    fields = spec.fields_for(ctx)
    values, typed, errors = read_form(ctx, fields, form)
    token = str(form.get("form_token") or new_id())
    loaded = spec.load(ctx)
    if "version" in loaded:
        typed["version"] = values["version"] = loaded["version"]
    if errors:
        return show_form(ctx, spec, typed=typed, errors=errors, status=422, form_token=token)
    try:
        # A refusal undoes the savepoint, and with it the note that the form was sent.
        with ctx.session.begin_nested():
            before = idempotency.once(ctx, token) if ctx.principal else None
            if before is not None:
                return ctx.redirect_to(before)
            if "version" in loaded and str(loaded["version"]) != form.get("version"):
                raise _StaleFormError
            url = spec.save(ctx, values)
            if ctx.principal:
                idempotency.keep(ctx, token, url)
    except _StaleFormError:
        theirs = _differences(ctx, fields, loaded, typed)
        return show_form(ctx, spec, typed=typed, status=409, theirs=theirs)
    except ValidationFailedError as error:
        return show_form(ctx, spec, typed=typed, errors=field_texts(ctx, error), status=422)
    except PlanError as error:
        errors = {"form": ctx.t(error.message_key, **error.params)}
        return show_form(ctx, spec, typed=typed, errors=errors, status=error.status)
    if has_message("en", f"{spec.texts}.saved"):
        ctx.flash("success", f"{spec.texts}.saved")
    return ctx.redirect_to(url)


class _StaleFormError(Exception):
    """Somebody changed the record after the form was opened."""


def field_texts(ctx: PageContext, error: ValidationFailedError) -> dict[str, str]:
    """The texts of an error's fields by name; an error without fields stands above the form."""
    found = {
        field.pointer.strip("/"): ctx.t(field.message_key, **dict(field.params)) for field in error.errors
    }
    return found or {"form": ctx.t(error.message_key, **error.params)}


def _differences(
    ctx: PageContext, fields: Any, loaded: Mapping[str, Any], typed: Mapping[str, Any]
) -> list[tuple[str, str]]:
    """Label and present value of each field that differs from what was typed."""
    found = []
    for asked in fields:
        if not isinstance(asked, Field) or asked.kind in ("note", "password", "file"):
            continue
        theirs, mine = loaded.get(asked.name, ""), typed.get(asked.name, "")
        if _text(theirs) != _text(mine):
            texts = {option[0]: option[1] for option in asked.choices(ctx)}
            found.append((asked.text(ctx), texts.get(_text(theirs), _text(theirs))))
    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else ""
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)
