#!/bin/sh
# Runs the ledger's tests on Debian's Redis and on Debian's RabbitMQ, each started here on a loopback port of its own
# and stopped again. Missing packages are installed, for which it must run as root.
#
#   tests/reliability/real_brokers.sh [redis] [rabbitmq] [-- arguments for pytest]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-$root/.venv/bin/python}
tests="tests/reliability/test_ledger.py tests/reliability/test_ledger_events.py tests/reliability/test_ledger_ticks.py
tests/reliability/test_ledger_wiring.py tests/reliability/test_ledger_workers.py"
redis_port=26379
rabbitmq_port=25673 # 20000 more is the port on which its nodes talk
start_seconds=60
folder=$(mktemp -d /tmp/wizamart-brokers-XXXXXX)
pid=
epmd_pid=

say() { echo "real_brokers: $*" >&2; }

stop() {
    for running in $pid $epmd_pid; do
        kill -TERM "$running" 2>/dev/null || true
        wait "$running" 2>/dev/null || true
    done
    pid=
    epmd_pid=
}

finish() {
    stop
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

# A package's own service must not start: ours is the only one, and private.
install() {
    command -v "$1" >/dev/null && return 0
    [ "$(id -u)" = 0 ] || { say "needs $2; install it or run as root"; exit 3; }
    guard=/usr/sbin/policy-rc.d
    made=
    [ -e "$guard" ] || { printf '#!/bin/sh\nexit 101\n' >"$guard"; chmod 755 "$guard"; made=yes; }
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >"$folder/apt.log" 2>&1 || {
        tail -5 "$folder/apt.log" >&2
        code=3
    }
    [ -z "$made" ] || rm -f "$guard"
    [ -z "${code:-}" ] || exit "$code"
}

wait_until() { # a command that succeeds once the server answers
    tries=$((start_seconds * 5))
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        if [ "$tries" = 0 ] || ! kill -0 "$pid" 2>/dev/null; then
            say "the broker did not start:"
            tail -20 "$folder/broker.log" >&2
            exit 4
        fi
        sleep 0.2
    done
}

start_redis() {
    install redis-server redis-server
    redis-server --port $redis_port --bind 127.0.0.1 --dir "$folder" --save '' --appendonly no \
        --daemonize no >"$folder/broker.log" 2>&1 &
    pid=$!
    wait_until redis-cli -p $redis_port ping
    url=redis://127.0.0.1:$redis_port/0
}

# The server's own script, not the wrapper, which would change to an account of the machine. Node, ports and the name
# service (which RabbitMQ would start as a daemon and leave behind) are private.
start_rabbitmq() {
    install rabbitmq-server rabbitmq-server
    mkdir -p "$folder/rabbitmq"
    export ERL_EPMD_PORT=$((rabbitmq_port + 20001)) ERL_EPMD_ADDRESS=127.0.0.1 HOME="$folder/rabbitmq"
    export RABBITMQ_NODENAME=wizamart@localhost RABBITMQ_DIST_PORT=$((rabbitmq_port + 20000))
    export RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$rabbitmq_port RABBITMQ_PID_FILE="$HOME/pid"
    export RABBITMQ_MNESIA_BASE="$HOME" RABBITMQ_LOG_BASE="$HOME" RABBITMQ_ENABLED_PLUGINS_FILE="$HOME/plugins"
    epmd -port $ERL_EPMD_PORT -address 127.0.0.1 >"$folder/epmd.log" 2>&1 &
    epmd_pid=$!
    /usr/lib/rabbitmq/bin/rabbitmq-server >"$folder/broker.log" 2>&1 &
    pid=$!
    wait_until grep -q 'completed with' "$folder/broker.log"
    url=amqp://guest:guest@127.0.0.1:$rabbitmq_port//
}

brokers=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    brokers="$brokers $1"
    shift
done
[ $# = 0 ] || shift
failed=
for broker in ${brokers:-redis rabbitmq}; do
    "start_$broker"
    say "$broker on $url"
    # shellcheck disable=SC2086
    (cd "$root" && WIZAMART_TEST_BROKER_URL=$url "$python" -m pytest -q -p no:cacheprovider $tests "$@") ||
        failed="$failed $broker"
    stop
done
[ -z "$failed" ] || { say "failed on:$failed"; exit 1; }
say "passed on:${brokers:- redis rabbitmq}"
