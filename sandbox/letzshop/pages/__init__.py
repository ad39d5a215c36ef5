"""The pages of the stand-in: shops with their keys, orders to place, units, faults, a playground."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.letzshop import schema
from sandbox.letzshop.endpoint import Api
from sandbox.letzshop.pages import buying, playground, trouble
from sandbox.letzshop.pages.form import Form
from sandbox.letzshop.state import Letzshop, NotThereError
from sandbox.pages import render
from sandbox.pages.shown import Page, Redirect

Work = Callable[[Letzshop, str, Form], Page | Redirect]


def routes(letzshop: Letzshop) -> list[Route]:
    """The pages, mounted under ``/letzshop``, and the API."""
    work: list[tuple[str, str, Work]] = [
        ("GET", "/", buying.list_shops),
        ("GET", "/shops/{id}", buying.show_shop),
        ("POST", "/shops/{id}/feeds", buying.save_feeds),
        ("POST", "/place", buying.place),
        ("GET", "/shipments/{id}", buying.show_shipment),
        ("POST", "/shipments/{id}/units", buying.move_units),
        ("POST", "/shipments/{id}/track", buying.track),
        ("POST", "/shipments/{id}/change", buying.change),
        ("GET", "/faults", trouble.show),
        ("POST", "/faults", trouble.change_faults),
        ("POST", "/settings", trouble.change_settings),
        ("GET", "/graphql", playground.show),
        ("POST", "/playground", playground.ask),
    ]
    return [
        Route("/graphql", Api(letzshop), methods=["POST"]),
        Route("/schema.graphql", _schema),
        *(Route(path, _endpoint(letzshop, one), methods=[method]) for method, path, one in work),
    ]


async def _schema(_request: Request) -> Response:
    return PlainTextResponse(schema.SDL)


def _endpoint(letzshop: Letzshop, work: Work) -> Callable[[Request], Awaitable[Response]]:
    def run(object_id: str, form: Form) -> Page | Redirect:
        try:
            with letzshop.work():
                return work(letzshop, object_id, form)
        except NotThereError as error:
            return Page("trouble.html", {"message": str(error)}, 404)
        except ValueError as error:
            return Page("trouble.html", {"message": str(error)}, 422)

    async def answer(request: Request) -> Response:
        form: Form = {name: [value] for name, value in request.query_params.items()}
        if request.method == "POST":
            if _is_foreign(request):
                return PlainTextResponse("This form is of another site.", 403)
            async with request.form(max_fields=500, max_part_size=100_000) as sent:
                form = {name: [str(one).strip() for one in sent.getlist(name)] for name in sent}
        found = await run_in_threadpool(run, request.path_params.get("id", ""), form)
        return RedirectResponse(found.url, 303) if isinstance(found, Redirect) else render(found)

    return answer


def _is_foreign(request: Request) -> bool:
    """Browsers say from where a form comes."""
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
