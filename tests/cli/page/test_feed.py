"""The page's feed and its server, as a browser's EventSource uses them.

Here are the tests of `cli/page/feed.py` and `cli/page/server.py`; `test_browser.py` looks at the page.
"""

from __future__ import annotations

import json
from contextlib import asynccontextmanager

import aiohttp
import pytest

from databricks_async.cli.page.feed import Feed
from databricks_async.cli.page.server import serving
from databricks_async.errors import InternalError, NotFound


class Pictures:
    """Timelines without a workspace."""

    async def svg(self, run_id):
        if run_id == 404:
            raise NotFound("run 404 does not exist", status=404)
        if run_id == 500:
            raise InternalError("out of order", status=500)
        return f'<svg xmlns="http://www.w3.org/2000/svg"><title>{run_id}</title></svg>'


@asynccontextmanager
async def page(feed, host="127.0.0.1"):
    async with serving(feed, Pictures(), host, 0) as url, aiohttp.ClientSession() as session:
        yield url, session


async def read(response, count):
    """So many events: their ids, names and data."""
    found = []
    while len(found) < count:
        block = (await response.content.readuntil(b"\n\n")).decode()
        fields = dict(line.split(": ", 1) for line in block.strip().splitlines())
        if "event" in fields:
            found.append((fields.get("id"), fields["event"], json.loads(fields["data"])))
    return found


def row(name, state="RUNNING"):
    return {"id": name, "of": "cluster", "state": state}


async def test_a_snapshot_comes_first_then_each_change_once():
    """With numbers that count up; what is put just so again is no change."""
    feed = Feed()
    feed.put(row("a"))
    feed.tell({"id": "event 1", "of": "event"})
    feed.set_status({"now": 7})
    async with page(feed) as (url, session), session.get(f"{url}events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        (snapshot, status) = await read(response, 2)
        assert snapshot[1:] == (
            "snapshot",
            {"rows": [row("a")], "events": [{"id": "event 1", "of": "event"}], "status": {"now": 7}},
        )
        assert status == (None, "status", {"now": 7})
        feed.put(row("a"))
        feed.put(row("a", "TERMINATED\nid: 99"))
        feed.remove("a")
        feed.remove("a")
        changes = await read(response, 2)
        assert [change[1:] for change in changes] == [("change", row("a", "TERMINATED\nid: 99")), ("gone", {"id": "a"})]
        run = snapshot[0].partition(".")[0]
        assert [one[0] for one in (snapshot, *changes)] == [f"{run}.2", f"{run}.3", f"{run}.4"]


async def test_a_browser_that_comes_back_gets_what_it_missed():
    """As long as that is in the ring; else, and if it was another run's, a snapshot."""
    feed = Feed(max_changes=3)
    feed.put(row("a"))
    async with page(feed) as (url, session):

        async def from_(last, count):
            async with session.get(f"{url}events", headers={"Last-Event-ID": last}) as response:
                return await read(response, count)

        ((first, _, _),) = await from_("", 1)
        feed.put(row("b"))
        feed.put(row("c"))
        assert [change[2]["id"] for change in await from_(first, 2)] == ["b", "c"]
        feed.put(row("d"))
        feed.put(row("e"))
        assert [change[2]["id"] for change in await from_(f"{first.partition('.')[0]}.2", 3)] == ["c", "d", "e"]
        for last in (first, f"{first.partition('.')[0]}.6", "elsewhere.4", "nonsense", "x.y"):
            ((_, name, snapshot),) = await from_(last, 1)
            assert (name, [one["id"] for one in snapshot["rows"]]) == ("snapshot", ["a", "b", "c", "d", "e"])


async def test_a_slow_browser_gets_a_snapshot_again():
    """What came in between is not sent one by one."""
    feed = Feed(max_changes=10)
    stream = feed.stream()
    assert [await anext(stream), b"snapshot" in await anext(stream)] == [b"retry: 2000\n\n", True]
    for number in range(10):
        feed.put(row(str(number)))
    assert (await anext(stream)).count(b"event: change") == 10
    for number in range(11):
        feed.put(row(str(number), "PENDING"))
    again = await anext(stream)
    assert (again.count(b"event: change"), again.count(b"event: snapshot")) == (0, 1)
    await stream.aclose()


async def test_a_quiet_stream_says_that_it_is_alive():
    """With a comment; it ends with the feed."""
    feed = Feed()
    stream = feed.stream(heartbeat=0.001)
    parts = [await anext(stream) for _ in range(4)]
    assert parts[2:] == [b": alive\n\n", b": alive\n\n"]
    feed.close()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_few_events_are_kept():
    """A snapshot has the latest 200."""
    feed = Feed()
    for number in range(300):
        feed.tell({"id": str(number)})
    stream = feed.stream()
    await anext(stream)
    snapshot = json.loads((await anext(stream)).partition(b"data: ")[2])
    assert [snapshot["events"][0]["id"], snapshot["events"][-1]["id"], len(snapshot["events"])] == ["100", "299", 200]
    await stream.aclose()


async def test_the_files_and_nothing_else_are_served():
    """Under a policy that lets nothing else in; nothing writes."""
    async with page(Feed()) as (url, session):
        for path, kind in (("", "text/html"), ("page.css", "text/css"), ("page.js", "text/javascript")):
            async with session.get(url + path) as response:
                assert (response.status, response.content_type) == (200, kind)
                policy = response.headers["Content-Security-Policy"]
                assert "default-src 'none'" in policy
                assert "unsafe" not in policy
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                text = await response.text()
                assert "http://" not in text
                assert "https://" not in text
                assert "innerHTML" not in text
        for method, path in (
            ("POST", ""),
            ("POST", "events"),
            ("GET", "../secret"),
            ("GET", "page.py"),
            ("GET", "timeline/x.svg"),
        ):
            async with session.request(method, url + path) as response:
                assert response.status in (404, 405)


async def test_timelines_are_pictures_that_run_nothing():
    """And errors are those of the workspace."""
    async with page(Feed()) as (url, session):
        async with session.get(f"{url}timeline/7.svg") as response:
            assert (response.status, response.content_type) == (200, "image/svg+xml")
            assert "sandbox" in response.headers["Content-Security-Policy"]
            assert "<title>7</title>" in await response.text()
        for run_id in (404, 500):
            async with session.get(f"{url}timeline/{run_id}.svg") as response:
                assert response.status == {404: 404, 500: 502}[run_id]


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost:1", 200), ("127.0.0.1", 200), ("[::1]:1", 200), ("evil.example", 403), ("evil.example:8766", 403)],
)
async def test_another_sites_name_for_this_machine_is_refused(host, expected):
    """On the loopback: a page of that site could read all of it else."""
    async with page(Feed()) as (url, session):
        for path in ("", "events", "timeline/7.svg"):
            async with session.get(url + path, headers={"Host": host}) as response:
                assert response.status == expected


async def test_asked_for_the_network_any_name_will_do():
    """It is whatever the machine is called there."""
    anywhere = "0.0.0.0"  # noqa: S104
    async with page(Feed(), anywhere) as (url, session):
        here, headers = url.replace(anywhere, "127.0.0.1"), {"Host": "machine.example"}
        async with session.get(here, headers=headers) as response:
            assert response.status == 200
