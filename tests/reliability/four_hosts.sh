#!/bin/sh
# The proof of delivery on four hosts made of network namespaces: web, two with workers and beat, database with broker.
# A host with workers is cut off for 40 s while it works, then the web host for 30 s. Prints the figures as JSON; exit
# code 1 when work was lost or doubled or a bound was passed. Takes about three minutes. Needs root and iproute2.
#
#   tests/reliability/four_hosts.sh [--broker valkey|redis-server|rabbitmq] [--seed N]
set -eu

[ "$(id -u)" = 0 ] || { echo "four_hosts: network namespaces need root" >&2; exit 3; }
command -v ip >/dev/null || { echo "four_hosts: needs iproute2" >&2; exit 3; }
cd "$(dirname "$0")/../.."
exec "${PYTHON:-.venv/bin/python}" -m app.testing.delivery.hosts "$@"
