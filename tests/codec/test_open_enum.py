"""OpenEnum: every word is a value, known or not."""

from __future__ import annotations

import copy
import pickle

import pytest

from databricks_async.codec.open_enum import OpenEnum


class Colour(OpenEnum):
    RED = "RED"
    DARK_BLUE = "DarkBlue"


class Wine(OpenEnum):
    RED = "RED"


def test_a_word_is_text() -> None:
    """Known or not: as text, in a set, in an f-string, after pickle and copy, it is the word itself."""
    for word, text in ((Colour.DARK_BLUE, "DarkBlue"), (Colour("DARK_BLUE"), "DARK_BLUE"), (Colour(""), "")):
        assert word == text
        assert f"{word}" == str(word) == text
        assert {text: 1}[word] == 1
        assert pickle.loads(pickle.dumps(word)) is word
        assert copy.deepcopy(word) is word
        assert copy.copy(word) is word
    assert Colour.DARK_BLUE.is_known
    assert not Colour("DARK_BLUE").is_known
    assert list(Colour) == [Colour.RED, Colour.DARK_BLUE]
    assert (repr(Colour.RED), repr(Colour("PINK"))) == ("Colour.RED", "Colour('PINK')")


def test_the_same_unknown_word_in_two_enums_is_two_values() -> None:
    """Words belong to their class."""
    assert type(Wine("PINK")) is Wine
    assert type(Colour("PINK")) is Colour


def test_only_text_can_be_a_word() -> None:
    """An enum is not made of numbers."""
    with pytest.raises(ValueError, match="7 is not a valid Colour"):
        Colour(7)  # type: ignore[arg-type]
