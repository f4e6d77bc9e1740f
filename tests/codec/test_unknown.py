"""Names that a class does not know: sent, and reported where a person typed them.

Here are the tests of `suggest.py`.
"""

from __future__ import annotations

import attrs

from databricks_async.codec import Model, build


def test_unknown_names_that_were_typed_are_told_once(caplog):
    """They are sent: the service may know them. What came from the service is not reported."""

    @attrs.define(kw_only=True, repr=False)
    class Trip(Model):
        destination: str | None = None
        nested: list[Model] | None = None

    received = Trip.from_dict({"destination": "x", "weather": "fine"})
    assert build(Trip, received).as_dict() == {"destination": "x", "weather": "fine"}
    assert caplog.messages == []
    for _ in range(2):
        assert build(Trip, {"destinations_list": ["x"]}).as_dict() == {"destinations_list": ["x"]}
    assert caplog.messages == [
        "Trip has no field 'destinations_list' (did you mean 'destination'?): it is sent as it is"
    ]
