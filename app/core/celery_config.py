"""Celery, configured: wake-ups for the ledger, and the modules' tasks by their names.

An entry: importing it connects the process with the ledger. It may import the framework; only entries import it.
"""

import socket
from typing import Any

from celery import Celery
from kombu.entity import Queue

from app.core.config import get_settings
from app.core.embedded import find_servers
from app.modules import events as _events  # noqa: F401  registers the task that delivers events
from app.modules import lifecycle, observability, state, task_base, tasks
from app.tasks import ports
from app.tasks import runner as _runner  # noqa: F401  registers the task that takes work

_CONNECT_SECONDS = 2.0
_HEARTBEAT_SECONDS = 10  # RabbitMQ gives up a worker that missed two, and what it was sent comes back
# A broker that is cut off sends no word of it.
_UNLESS_CUT_OFF = {
    socket.TCP_KEEPIDLE: 5,
    socket.TCP_KEEPINTVL: 2,
    socket.TCP_KEEPCNT: 3,
    socket.TCP_USER_TIMEOUT: 10_000,  # milliseconds
}

# Without a broker Celery would look for one on this host; this refuses, and says in every message what is missing.
_NO_BROKER = "unset://WIZAMART_BROKER_URL"
_REDIS_LIKE = ("redis", "rediss", "sentinel", "valkey")


def _settings() -> dict[str, Any]:
    """Read when Celery is first used, so that a process may start its servers after importing this file."""
    broker_url = get_settings().broker_url or _embedded_broker() or _NO_BROKER
    routes = tasks.task_routes()
    queues = sorted({*tasks.QUEUES, *(route["queue"] for route in routes.values())})
    return {
        "broker_url": broker_url,
        "broker_connection_retry_on_startup": True,
        "broker_connection_timeout": _CONNECT_SECONDS,
        "broker_heartbeat": _HEARTBEAT_SECONDS,
        "broker_transport_options": _transport_options(broker_url),
        "task_ignore_result": True,
        "timezone": "UTC",
        # A wake-up is worth nothing once it was read: the ledger knows what is to be done.
        "task_acks_late": False,
        "worker_prefetch_multiplier": 1,
        "task_default_queue": tasks.DEFAULT_QUEUE,
        "task_create_missing_queues": True,
        "task_queues": [Queue(name) for name in queues],  # type: ignore[no-untyped-call]
        "task_routes": routes,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "beat_schedule": tasks.build_beat_schedule(),
        "beat_scheduler": "app.tasks.beat:LedgerScheduler",
        "beat_max_loop_interval": 1,
    }


def _embedded_broker() -> str | None:
    """Of the platform that runs on the data folder: so `celery -A app.worker inspect …` finds it without settings."""
    servers = find_servers(get_settings().data_dir) if get_settings().is_embedded else None
    return servers.broker_url if servers else None


def _transport_options(broker_url: str) -> dict[str, Any]:
    if broker_url.startswith("amqp"):
        return {"socket_settings": _UNLESS_CUT_OFF}
    return _redis_options() if broker_url.startswith(_REDIS_LIKE) else {}


def _redis_options() -> dict[str, Any]:
    return {
        "visibility_timeout": 3600,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_timeout": 30.0,
        "socket_connect_timeout": _CONNECT_SECONDS,
        "socket_keepalive": True,
        "socket_keepalive_options": _UNLESS_CUT_OFF,
        "health_check_interval": 10,
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    }


celery_app = Celery("wizamart", set_as_current=True)
celery_app.set_default()  # for the other threads of this process
celery_app.add_defaults(_settings)
# Called when Celery first needs its tasks: what is wrong with a module is then said by the command, in one line.
celery_app.autodiscover_tasks(tasks.discover_module_tasks, related_name=None)

ports.register(
    ports.Framework(
        find_task=task_base.find_task,
        execute=observability.observed(task_base.execute),
        task_names=task_base.task_names,
        schedules=task_base.schedules,
        module_is_on=tasks.module_is_on,
        schedule_is_on=tasks.schedule_is_on,
        refresh=state.refresh,
        audit=lifecycle.audit,
    )
)
