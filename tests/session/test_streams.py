"""A body that is read while it comes: how often, and how long, a lost connection is made up for."""

from __future__ import annotations

import pytest

from databricks_async.errors import ConnectionLost, NotFound
from databricks_async.message import Request, Response
from databricks_async.session.bucket import RetryBucket
from databricks_async.session.budgets import Budget
from databricks_async.session.stats import Stats
from databricks_async.session.streams import Resumed

pytestmark = pytest.mark.usefixtures("virtual_time")

REQUEST = Request("GET /api/2.0/workspace/export", "/api/2.0/workspace/export", stream=True)


class Pieces:
    """A stream of these pieces; an exception among them is raised."""

    def __init__(self, *pieces):
        self._pieces = list(pieces)
        self.closed = False

    async def read(self):
        piece = self._pieces.pop(0) if self._pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self):
        self.closed = True


def lost():
    return ConnectionLost("lost")


@pytest.fixture
def resumed(clock):
    """Reads the first of some streams, with the others as what is answered later."""

    def resumed(first, *later, budget=60.0):
        answers = iter(later)

        async def send(request):
            assert request is REQUEST
            answer = next(answers)
            if isinstance(answer, Exception):
                raise answer
            return answer if isinstance(answer, Response) else Response(200, {}, b"", stream=answer)

        begun = first if isinstance(first, Response) else Response(200, {}, b"", stream=first)
        return Resumed(send, REQUEST, begun, Budget(budget), Stats(), clock.pause, RetryBucket())

    return resumed


async def read(stream):
    read = bytearray()
    while piece := await stream.read():
        read += piece
    return bytes(read)


async def test_read_on_wherever_the_pieces_end(resumed):
    """The second answer is cut otherwise than the first."""
    for again in ([b"abcdef"], [b"a", b"b", b"c", b"d", b"ef"], [b"ab", b"cdef"], [b"abc", b"def"], [b"abcd", b"ef"]):
        first = Pieces(b"ab", b"c", lost())
        assert await read(resumed(first, Pieces(*again))) == b"abcdef"
        assert first.closed


@pytest.mark.parametrize("given", [b"", b"a"])
async def test_another_length_is_other_content_once_some_was_given(resumed, given):
    """An answer that is lost before any of it was given may have had a wrong length, or older content."""
    first, second = (
        Response(200, {"content-length": str(length)}, b"", stream=stream)
        for length, stream in ((9, Pieces(given, lost()) if given else Pieces(lost())), (3, Pieces(b"abc")))
    )
    stream = resumed(first, second)
    if given:
        with pytest.raises(ConnectionLost, match="lost after 1 bytes, and the content has changed since"):
            await read(stream)
    else:
        assert await read(stream) == b"abc"


async def test_lost_again_before_it_is_where_it_was(resumed):
    """What was read twice counts once."""
    later = [Pieces(b"a", lost()), Pieces(lost()), Pieces(b"abcd", lost()), Pieces(b"abcde")]
    assert await read(resumed(Pieces(b"abc", lost()), *later)) == b"abcde"


@pytest.mark.parametrize("again", [[b"abX", b"def"], [b"ab"], [b""], [b"Xbcdef"]])
async def test_another_content_is_no_continuation(resumed, again):
    """Shorter, or with other bytes in front."""
    stream = resumed(Pieces(b"abc", lost()), Pieces(*again))
    assert await stream.read() == b"abc"
    with pytest.raises(ConnectionLost, match="lost after 3 bytes, and the content has changed since"):
        await stream.read()


async def test_the_time_runs_from_the_first_loss_without_progress(resumed, clock):
    """Pauses grow; something new gives all of the time again."""
    endless = [Pieces(b"ab", lost()) for _ in range(20)]
    stream = resumed(Pieces(b"a", lost()), *endless, budget=10.0)
    assert await stream.read() == b"a"
    began = clock.now
    assert await stream.read() == b"b"
    with pytest.raises(ConnectionLost) as caught:
        await stream.read()
    assert 3 <= clock.now - began <= 11
    assert sorted(clock.pauses[1:]) == clock.pauses[1:]
    assert caught.value.attempts == len(clock.pauses) + 1
    assert caught.value.elapsed == pytest.approx(clock.now - began)


async def test_no_time_no_second_try(resumed, clock):
    """As for calls."""
    stream = resumed(Pieces(lost()), budget=0.0)
    with pytest.raises(ConnectionLost):
        await stream.read()
    assert clock.pauses == []


async def test_a_second_try_that_is_refused_ends_it(resumed):
    """With that refusal, which counts all tries; afterwards it can be read on."""
    stream = resumed(Pieces(b"a", lost()), NotFound("gone"), Pieces(b"ab"))
    assert await stream.read() == b"a"
    with pytest.raises(NotFound) as caught:
        await stream.read()
    assert caught.value.attempts == 2
    assert await read(stream) == b"b"


async def test_a_length_that_differs_is_seen_before_anything_is_read(resumed, clock):
    """If both answers state theirs."""
    second = Pieces(b"abc")
    stream = resumed(Pieces(b"a", lost()), Response(200, {"content-length": "3"}, b"", stream=second))
    assert await read(stream) == b"abc"
    whole = Response(200, {"Content-Length": "7"}, b"", stream=Pieces(b"a", lost()))

    async def send(_):
        return Response(200, {"content-length": "3"}, b"", stream=second)

    stream = Resumed(send, REQUEST, whole, Budget(60.0), Stats(), clock.pause, RetryBucket())
    assert await stream.read() == b"a"
    with pytest.raises(ConnectionLost, match="has changed"):
        await stream.read()


async def test_a_body_that_came_with_its_answer_is_a_stream_too(clock):
    """Short ones do."""
    stream = Resumed(None, REQUEST, Response(200, {}, b"{}"), Budget(60.0), Stats(), clock.pause, RetryBucket())
    assert (await stream.read(), await stream.read()) == (b"{}", b"")
