"""The page in a real browser, as a person uses it: `cli/page/static`.

Not collected where there is no Chromium; with the variable REQUIRE_BROWSER it fails instead.
"""

from __future__ import annotations

import json

import pytest

from databricks_async.cli.page.feed import Feed
from databricks_async.cli.page.server import serving
from support import browser, devtools

NOW = 1_764_122_400_000
HOSTILE = "<img src=x onerror=document.title='broken'>\u202e"
SIGNS = {"good": "✓", "bad": "✗", "moving": "*", "waiting": "."}
TASKS = [
    {"key": HOSTILE, "state": "SUCCESS", "kind": "good", "sign": "✓", "note": ""},
    {"key": "join", "state": "RUNNING", "kind": "moving", "sign": "*", "note": "In run"},
]


class Pictures:
    """Timelines without a workspace."""

    async def svg(self, run_id):
        return '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="60"><rect width="900" height="60"/></svg>'


def row(number, state="RUNNING", kind="good", of="cluster", **fields):
    about = {"state": state, "kind": kind, "sign": SIGNS[kind], "size": "2 workers", "note": "", "end": None}
    name = {"name": f"{of}-{number}", "thing": f"id-{number}", "since": NOW - 60_000 * number}
    tasks = {"tasks": TASKS, "more_tasks": 3} if of == "run" else {}
    return {"id": f"{of} {number}", "of": of, **name, **about, **tasks, **fields}


def status(**fields):
    return {
        "host": "https://adb-1.1.azuredatabricks.net",
        "now": NOW,
        "speed": 1.0,
        "age": 0.2,
        "trouble": None,
        **fields,
    }


@pytest.fixture
async def tab():
    if browser.find() is None:
        pytest.fail(browser.MISSING)
    async with devtools.started() as found:
        yield await found.tab()


def filled():
    """A feed with clusters in several states, a run, and what names may hold."""
    feed = Feed()
    feed.set_status(status())
    feed.put(row(1, name=HOSTILE, note=HOSTILE))
    feed.put(row(2, "TERMINATED", "bad", note="CLOUD_PROVIDER_RESOURCE_STOCKOUT: no machines"))
    feed.put(row(3, "PENDING", "waiting", name="a-name-" + "that-does-not-fit-" * 12))
    feed.put(row(7, of="run", kind="moving", name="nightly", thing="7"))
    feed.tell(
        {"id": "event 1", "of": "event", "when": NOW, "name": HOSTILE, "state": "RUNNING"}
        | {"kind": "good", "sign": "✓", "note": "first"}
    )
    return feed


async def test_a_page_lives(tab):
    """Rows, events, counts; changes in place; a hidden tab; a lost connection and another workspace's feed after it."""
    feed = filled()
    async with serving(feed, Pictures(), "127.0.0.1", 0) as url:
        await tab.open(url)
        await tab.until("document.querySelectorAll('.item').length === 4 && document.querySelector('#events li')")
        assert await tab.run("document.querySelector('#clusters .item:nth-child(1) .id').textContent") == "id-3"
        # Names are text.
        names = await tab.run(
            "[...document.querySelectorAll('#clusters .name > :first-child')].map(e => e.textContent)"
        )
        assert names[2] == HOSTILE
        assert await tab.run("document.querySelectorAll('main img').length") == 0
        assert await tab.run("document.title") == "https://adb-1.1.azuredatabricks.net"
        counts = "[...document.querySelectorAll('.counts')].map(e => e.textContent)"
        assert await tab.run(counts) == ["1 running, 1 waiting, 1 failed", "1 running"]

        # Only what differs is written, in the same elements; a new one comes on top.
        await tab.run("window.kept = [...document.querySelectorAll('#clusters .item')]")
        await tab.run("""
            window.written = [];
            new MutationObserver(all => written.push(...all.map(one => one.target.className || one.target.tagName)))
                .observe(document.querySelector('#clusters .rows'),
                    {childList: true, subtree: true, characterData: true});
        """)
        feed.put(row(3, "RUNNING", "good", name="a-name-" + "that-does-not-fit-" * 12))
        await tab.until("kept[0].querySelector('.state').textContent === 'RUNNING'")
        assert set(await tab.run("written.splice(0)")) <= {"state good", "SPAN", "state waiting"}
        feed.put(row(9, "RUNNING", "good"))
        feed.remove("cluster 2")
        await tab.until("document.querySelectorAll('#clusters .item').length === 3 && kept[1].isConnected === false")
        assert await tab.run("document.querySelector('#clusters .item .id').textContent") == "id-9"
        assert await tab.run("kept[0] === document.querySelectorAll('#clusters .item')[1]")

        # A hidden tab collects, and paints once when it is shown.
        await tab.run("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
        await tab.run("written.splice(0)")
        for number in range(100, 130):
            feed.put(row(number, "PENDING", "waiting"))
            feed.put(row(number, "RUNNING", "good"))
        feed.set_status(status(host="seen while hidden"))
        await tab.until("status.host === 'seen while hidden'")
        assert await tab.run("[written.length, document.title]") == [0, "https://adb-1.1.azuredatabricks.net"]
        await tab.run("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
        await tab.until("document.querySelectorAll('#clusters .item').length === 33")
        assert "state waiting" not in await tab.run("written")

        # Rows stand in groups, the new ones in a group above; a group knows how many of its rows are seen.
        groups = "[...document.querySelectorAll('#clusters .group')].map(e => e.style.getPropertyValue('--rows'))"
        assert await tab.run(groups) == ["13", "20"]
        filtered = "(text => { const one = document.getElementById('filter'); one.value = text;"
        filtered += " one.dispatchEvent(new Event('input')); })"
        await tab.run(f"{filtered}('cluster-12')")
        await tab.until("document.querySelectorAll('#clusters .group:not([hidden])').length === 1")
        assert await tab.run(groups) == ["10", "0"]
        await tab.run(f"{filtered}('')")
        await tab.until("document.querySelectorAll('#clusters .group:not([hidden])').length === 2")

        # What goes wrong is told, and nothing is blanked.
        feed.set_status(status(trouble="no connection to the workspace"))
        await tab.until("!document.getElementById('lost').hidden")
        assert await tab.run("document.getElementById('lost').textContent") == (
            "The workspace does not answer: no connection to the workspace"
        )
        feed.set_status(status())
        await tab.until(
            "document.getElementById('lost').hidden && document.getElementById('live').className === 'good'"
        )
        assert tab.complaints == []
    await tab.until("document.getElementById('lost').textContent.startsWith('The connection is lost since ')")
    assert await tab.run("[document.body.className, document.querySelectorAll('.item').length]") == ["stale", 34]
    other = Feed()
    other.set_status(status(host="another"))
    other.put(row(1, "TERMINATED", "bad"))
    async with serving(other, Pictures(), "127.0.0.1", int(url.rpartition(":")[2].strip("/"))):
        await tab.until("document.querySelectorAll('.item').length === 1 && document.body.className === ''")
        assert await tab.run("[document.title, document.querySelectorAll('#events li').length]") == ["another", 0]
        assert await tab.run(groups) == ["1"]


async def test_a_page_is_used_by_keyboard_and_read_aloud(tab):
    """Every control can be reached, does its work, and has a name; tables are tables."""
    async with serving(filled(), Pictures(), "127.0.0.1", 0) as url:
        await tab.open(url)
        await tab.until("document.querySelectorAll('.item').length === 4")
        reached = []
        for _ in range(6):
            await tab.press("Tab", "Tab", 9)
            reached.append(await tab.run("document.activeElement.textContent || document.activeElement.id"))
        assert reached == ["Clusters", "Runs", "Events", "filter", "Pause", "nightly"]
        assert await tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await tab.press("Enter", "Enter", 13, "\r")
        await tab.until("document.querySelector('.timeline img')?.naturalWidth === 900")
        assert await tab.run("document.activeElement.getAttribute('aria-expanded')") == "true"
        tasks = await tab.run("document.querySelector('.tasks').textContent")
        assert tasks == f"{HOSTILE} SUCCESSjoin RUNNINGand 3 more"
        alt = await tab.run("document.querySelector('.timeline img').alt")
        assert alt == f"Timeline of nightly: {HOSTILE} SUCCESS, join RUNNING"
        await tab.press("/", "Slash", 191, "/")
        assert await tab.run("document.activeElement.id") == "filter"
        for letter in "stockout":
            await tab.press(letter, f"Key{letter.upper()}", ord(letter.upper()), letter)
        await tab.until("[...document.querySelectorAll('.item')].filter(e => !e.hidden).length === 1")
        await tab.press("Escape", "Escape", 27)
        await tab.until("[...document.querySelectorAll('.item')].filter(e => !e.hidden).length === 4")
        await tab.run("document.getElementById('pause').click()")
        assert await tab.run("document.getElementById('pause').getAttribute('aria-pressed')") == "true"
        assert await tab.run("document.getElementById('live').textContent") == "paused"

        tree = (await tab.send("Accessibility.getFullAXTree"))["nodes"]
        said = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in tree if "role" in node]
        assert [name for role, name in said if role == "table"] == [
            "Clusters 1 running, 1 waiting, 1 failed",
            "Runs 1 running",
        ]
        assert [name for role, name in said if role == "columnheader"][:5] == [
            "Cluster",
            "State",
            "For",
            "Size",
            "Details",
        ]
        assert sum(role == "row" for role, _ in said) == 4 + 2
        assert {("button", "nightly"), ("searchbox", "Filter"), ("heading", "Events"), ("status", "")} <= set(said)
        assert ("image", alt) in said or ("img", alt) in said
        unnamed = [role for role, name in said if role in ("button", "link", "searchbox", "img", "image") and not name]
        assert unnamed == []
        assert tab.complaints == []


_CONTRASTS = """(() => {
const channels = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = (color) => channels(color).map((one) => one / 255)
    .map((one) => one <= .03928 ? one / 12.92 : ((one + .055) / 1.055) ** 2.4)
    .reduce((sum, one, index) => sum + one * [.2126, .7152, .0722][index], 0);
const back = (element) => { for (let one = element; one; one = one.parentElement) {
    const color = getComputedStyle(one).backgroundColor; if (!color.endsWith(', 0)')) return color; } };
const ratio = (one, other) => { const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + .05) / (low + .05); };
const texts = [...document.querySelectorAll('h1, h2, p, a, label, input, button, .row > *, .id, li > *')]
    .filter((element) => element.checkVisibility() && element.textContent.trim())
    .map((element) => [ratio(getComputedStyle(element).color, back(element)), element.outerHTML.slice(0, 60)]);
const signs = [...document.querySelectorAll('.state')]
    .map((element) => [ratio(getComputedStyle(element, '::before').color, back(element)), element.className]);
return JSON.stringify({texts, signs, over: document.documentElement.scrollWidth - innerWidth});
})()"""


async def test_a_page_can_be_read_light_and_dark_wide_and_narrow(tab):
    """Text stands out 4.5:1 or more, signs 3:1; nothing is wider than the window, however long a name is."""
    feed = filled()
    async with serving(feed, Pictures(), "127.0.0.1", 0) as url:
        await tab.open(url)
        await tab.until("document.querySelectorAll('.item').length === 4")
        await tab.run("document.querySelector('.name button').click()")
        backs = []
        for scheme in ("light", "dark"):
            feed.set_status(status(trouble="no connection" if scheme == "dark" else None))
            await tab.until(f"document.getElementById('lost').hidden === {json.dumps(scheme == 'light')}")
            for width in (1400, 736, 320):
                await tab.look(width=width, scheme=scheme)
                measured = json.loads(await tab.run(_CONTRASTS))
                assert [one for one in measured["texts"] if one[0] < 4.5] == []
                assert [one for one in measured["signs"] if one[0] < 3] == []
                assert measured["over"] <= 0, width
            backs.append(await tab.run("getComputedStyle(document.body).backgroundColor"))
        assert backs == ["rgb(255, 255, 255)", "rgb(13, 17, 23)"]
