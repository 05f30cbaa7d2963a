"""redis-py, as applications use it: python3 redis-py.py HOST PORT SOCKET PASSWORD

The test that starts this restarts the server when it reads "restart", and then sends a line.
"""

import sys
import time

import redis

host, port, socket, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
ALL_BYTES = bytes(range(256))


def wait_for(condition):
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "not within 30 s"
        time.sleep(0.01)


def refused(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError(f"{error.__name__} expected")


def strings(r):
    assert r.set("one", "111") is True
    assert r.get("one") == b"111"
    assert r.get("two") is None
    r.set(ALL_BYTES, ALL_BYTES)
    assert r.get(ALL_BYTES) == ALL_BYTES
    assert r.mget("one", "two") == [b"111", None]
    assert r.incr("one", 9) == 120
    assert r.set("one", "x", nx=True) is None
    assert r.set("one", "y", xx=True, get=True) == b"120"
    assert r.append("one", "z") == 2
    assert r.getrange("one", 0, -1) == b"yz"
    assert r.delete("one", "two") == 1
    refused(redis.ResponseError, lambda: r.execute_command("NONSENSE"))


def expiry(r):
    r.set("brief", "1", px=60)
    r.setex("long", 100, "1")
    assert 90 < r.ttl("long") <= 100
    assert r.persist("long")
    assert r.ttl("long") == -1
    wait_for(lambda: r.exists("brief") == 0)


def pipelines(r):
    with r.pipeline(transaction=False) as pipe:
        for i in range(1000):
            pipe.set(f"n:{i}", i).get(f"n:{i}")
        replies = pipe.execute()
    assert replies[-2:] == [True, b"999"]


def transactions(r):
    with r.pipeline() as pipe:
        assert pipe.set("a", 1).incr("a").get("a").execute() == [True, 2, b"2"]
        pipe.watch("a")
        r.set("a", "changed")
        pipe.multi()
        pipe.set("a", "lost")
        refused(redis.WatchError, pipe.execute)
    assert r.get("a") == b"changed"
    assert r.transaction(lambda pipe: pipe.multi() or pipe.set("a", "kept"), "a") == [True]


def walks(r):
    r.mset({f"walk:{i}": "" for i in range(3000)})
    r.set("other", "")
    assert len(set(r.scan_iter(match="walk:*", count=100))) == 3000
    assert r.dbsize() == 3001


def messages(r):
    with r.pubsub() as subscriber:
        subscriber.subscribe("news", "__keyevent@0__:set")
        subscriber.psubscribe("wild.*")
        wait_for(lambda: dict(r.pubsub_numsub("news")) == {b"news": 1} and r.pubsub_numpat() == 1)
        assert r.publish("news", "hello") == 1
        assert r.publish("wild.geese", "honk") == 1
        r.set("watched", "1")
        heard = []

        def hear():
            message = subscriber.get_message(ignore_subscribe_messages=True, timeout=0.05)
            if message is not None:
                heard.append((message["type"], message["channel"], message["data"]))
            return len(heard) == 3

        wait_for(hear)
        assert heard == [
            ("message", b"news", b"hello"),
            ("pmessage", b"wild.geese", b"honk"),
            ("message", b"__keyevent@0__:set", b"watched"),
        ], heard
    wait_for(lambda: r.publish("news", "unheard") == 0)


def connection(r):
    assert r.client_setname("tester")
    assert r.client_getname() == "tester"
    assert any(each["name"] == "tester" for each in r.client_list())
    assert r.client_id() > 0
    assert r.info("server")["redis_version"]
    assert len(r.command()) > 50
    assert r.config_get("maxmemory")
    assert r.time()[0] > 1_600_000_000
    assert r.echo("x") == b"x"
    assert r.ping()


def strangers():
    refused(redis.AuthenticationError, redis.Redis(host, port).ping)
    refused(redis.ResponseError, redis.Redis(host, port, password="wrong").ping)
    assert redis.Redis(host, port, username="default", password=password).ping()


def restart(r):
    retry = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), 400)
    errors = [redis.ConnectionError, redis.TimeoutError]
    patient = redis.Redis(host, port, password=password, retry=retry, retry_on_error=errors)
    assert patient.set("k", "v")
    print("restart", flush=True)
    sys.stdin.readline()
    assert patient.get("k") is None
    assert patient.set("k", "v")


clients = {
    "TCP": redis.Redis(host, port, password=password),
    "a unix socket": redis.Redis(unix_socket_path=socket, password=password),
}
for transport, client in clients.items():
    for check in (strings, expiry, pipelines, transactions, walks, messages, connection):
        client.flushall()
        check(client)
        print(f"{check.__name__} over {transport}", flush=True)
strangers()
print("strangers", flush=True)
restart(clients["TCP"])
print("done", flush=True)
