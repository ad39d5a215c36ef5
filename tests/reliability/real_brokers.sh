#!/bin/sh
# Runs the ledger's tests and the proof of delivery on Debian's Redis and on Debian's RabbitMQ, each started on loopback
# ports of its own and stopped again. Missing packages are installed, for which it must run as root.
#
#   tests/reliability/real_brokers.sh [redis-server] [rabbitmq] [-- options of wizamart prove delivery]
set -eu

cd "$(dirname "$0")/../.."
python=${PYTHON:-.venv/bin/python}
tests="tests/reliability/test_ledger.py tests/reliability/test_ledger_events.py tests/reliability/test_ledger_ticks.py
tests/reliability/test_ledger_wiring.py tests/reliability/test_ledger_workers.py"

say() { echo "real_brokers: $*" >&2; }

# A package's own service must not start: ours is the only one, and private.
install() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" != installed ] || return 0
    [ "$(id -u)" = 0 ] || { say "needs $1; install it or run as root"; exit 3; }
    guard=/usr/sbin/policy-rc.d
    made=
    [ -e "$guard" ] || { printf '#!/bin/sh\nexit 101\n' >"$guard"; chmod 755 "$guard"; made=yes; }
    code=0
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$1" >&2 || code=3
    [ -z "$made" ] || rm -f "$guard"
    [ "$code" = 0 ] || exit "$code"
}

brokers=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    brokers="$brokers $1"
    shift
done
[ $# = 0 ] || shift
[ $# != 0 ] || set -- --jobs 2000 --rounds 4
failed=
for broker in ${brokers:-redis-server rabbitmq}; do
    case $broker in rabbitmq) install rabbitmq-server ;; *) install "$broker" ;; esac
    say "$broker: the ledger's tests"
    # shellcheck disable=SC2086
    "$python" -m app.testing.delivery.brokers "$broker" "$python" -m pytest -q -p no:cacheprovider $tests >&2 ||
        failed="$failed $broker(tests)"
    say "$broker: prove delivery $*"
    "$python" -m app.cli prove delivery --broker "$broker" --json "$@" || failed="$failed $broker(proof)"
done
[ -z "$failed" ] || { say "failed:$failed"; exit 1; }
say "passed on:${brokers:- redis-server rabbitmq}"
