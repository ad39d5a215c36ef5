"""``wizamart bench``: figures beside a named floor, on scratch servers; they say, and judge nothing."""

from typing import Annotated, Any

import typer

from app.core.console import print_json

bench_app = typer.Typer(help="Benchmarks, each on scratch servers of its own.", no_args_is_help=True)


@bench_app.command("jobs")
def jobs(
    jobs: Annotated[int, typer.Option(help="Jobs in a round.", min=100)] = 2000,
    rounds: Annotated[int, typer.Option(help="Rounds of each measurement.", min=1)] = 3,
    concurrency: Annotated[int, typer.Option(help="Worker children of each side.", min=1)] = 2,
    rate: Annotated[int, typer.Option(help="Events per second.", min=1)] = 100,
    seconds: Annotated[int, typer.Option(help="For how long events are sent.", min=1)] = 10,
    broker_url: Annotated[
        str | None, typer.Option(help="An empty broker instead of the embedded one.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the ledger beside plain Celery on the same broker: jobs per second, and the way of an event.

    Example: wizamart bench jobs --json
    """
    from app.testing.bench.jobs import Plan, measure

    _show(measure(Plan(jobs, rounds, concurrency, rate, seconds), broker_url), as_json=as_json)


@bench_app.command("history")
def history(
    rows: Annotated[int, typer.Option(help="Finished jobs to write.", min=1000)] = 1_000_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a claim and beat's duties before and behind a history of finished jobs.

    Ten million need about 10 GB of disk meanwhile. Example: wizamart bench history --rows 10000000 --json
    """
    from app.testing.bench.history import measure_history

    _show(measure_history(rows), as_json=as_json)


@bench_app.command("pages")
def pages(
    products: Annotated[int, typer.Option(help="Products in all.", min=100)] = 100_000,
    orders: Annotated[int, typer.Option(help="Orders in all.", min=100)] = 50_000,
    vendors: Annotated[int, typer.Option(help="Vendors; three are the demo's.", min=3)] = 20,
    seconds: Annotated[float, typer.Option(help="For how long each address is asked.", min=0.2)] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure pages and the API's reads: two web processes, eight connections, many products and vendors.

    Example: wizamart bench pages --json
    """
    from app.testing.bench.pages import PagesPlan, measure_pages

    _show(measure_pages(PagesPlan(products, orders, vendors, seconds)), as_json=as_json)


@bench_app.command("orders")
def orders(
    products: Annotated[int, typer.Option(help="Products with stock.", min=100)] = 10_000,
    seconds: Annotated[float, typer.Option(help="For how long orders are placed.", min=1)] = 10.0,
    seed: Annotated[int, typer.Option(help="The same seed orders the same things.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure placing orders by the API: two web processes, eight connections; then 200 buyers of 50 things at once.

    Example: wizamart bench orders --json
    """
    from app.testing.bench.orders import OrdersPlan, measure_orders

    _show(measure_orders(OrdersPlan(products, seconds, seed)), as_json=as_json)


@bench_app.command("channel")
def channel(
    products: Annotated[
        list[int] | None, typer.Option(help="Products with stock; each number is a measurement.", min=10)
    ] = None,
    changes: Annotated[int, typer.Option(help="Changes of stock of each measurement.", min=5)] = 40,
    seed: Annotated[int, typer.Option(help="The same seed changes the same things.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure the way of a change of stock by the API into the stand-in's offer: feed written, sent, fetched.

    Example: wizamart bench channel --products 1000 --products 10000 --json
    """
    from app.testing.bench.channel import ChannelPlan, measure_channel

    _show(measure_channel(ChannelPlan(tuple(products or (1_000, 10_000)), changes, seed)), as_json=as_json)


@bench_app.command("import")
def imports(
    rows: Annotated[int, typer.Option(help="Rows of each of three feeds.", min=100)] = 100_000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same feeds.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure imports of large feeds by a worker, beside COPY and INSERT … SELECT alone.

    Example: wizamart bench import --rows 1000000 --json
    """
    from app.testing.bench.imports import ImportPlan, measure_imports

    _show(measure_imports(ImportPlan(rows, seed)), as_json=as_json)


def _show(figures: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(figures)
    else:
        for name, value in figures.items():
            typer.echo(f"{name:16} {_line(value)}")


def _line(value: Any) -> str:
    if isinstance(value, dict):
        return "  ".join(f"{name} {_line(part)}" for name, part in value.items())
    return str(value)
