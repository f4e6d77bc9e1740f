"""How `.databrickscfg` is read: as the Databricks CLI and Terraform read it, and what is said of one that cannot be."""

from __future__ import annotations

import inspect
import logging
import traceback
from pathlib import Path

import pytest

from databricks_async.config import Config
from databricks_async.config.file import read_sections
from databricks_async.errors import ConfigError

HOST = "https://adb-1.2.azuredatabricks.net"
OTHER = "https://adb-3.4.azuredatabricks.net"


def read(tmp_path: Path, data: str | bytes) -> dict[str, dict[str, str]] | None:
    path = tmp_path / "cfg"
    path.write_bytes(data if isinstance(data, bytes) else inspect.cleandoc(data).encode())
    return read_sections(str(path))


def refused(tmp_path: Path, data: str | bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, data)
    return caught.value


def test_sections_of_one_name_are_one_and_the_last_value_wins(tmp_path: Path) -> None:
    """Editors and pipelines append to the file."""
    assert read(
        tmp_path,
        f"""
        [DEFAULT]
        host  = {HOST}
        token = dapi-one

        [work]
        token = dapi-old
        token = dapi-two

        [DEFAULT]
        token = dapi-three
        """,
    ) == {"DEFAULT": {"host": HOST, "token": "dapi-three"}, "work": {"token": "dapi-two"}}


def test_what_stands_before_the_first_section_is_default(home: Path) -> None:
    """Older versions of the CLI wrote it so."""
    (home / ".databrickscfg").write_text(f"host = {HOST}\ntoken = dapi-one\n[work]\nhost = {OTHER}\ntoken = dapi-two\n")
    (home / ".databrickscfg").chmod(0o600)
    assert (Config.resolve().host, Config.resolve().token) == (HOST, "dapi-one")
    assert (Config.resolve(profile="work").host, Config.resolve(profile="work").token) == (OTHER, "dapi-two")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("token = dapi1", "dapi1"),
        ("token=dapi1", "dapi1"),
        ("TOKEN : dapi1", "dapi1"),
        ("  token = dapi1", "dapi1"),
        ("token = dapi1\r", "dapi1"),
        ("token = dapi1 # a comment", "dapi1"),
        ("token = dapi1 ; a comment", "dapi1"),
        ("token = dapi1\t# a comment", "dapi1"),
        ("token = dapi#1;2", "dapi#1;2"),
        ("token = 'dapi1'", "dapi1"),
        ('token = "dapi1"', "dapi1"),
        ('token = "dapi1" # a comment', "dapi1"),
        ('token = "dapi # 1"', "dapi # 1"),
        ("token = `dapi # 1`", "dapi # 1"),
        ("token = dapi'1", "dapi'1"),
        ("token = 'dapi1", "'dapi1"),
        ('token = "a" b "c"', '"a" b "c"'),
        ('token = """two\nlines"""', "two\nlines"),
        ("token = da\\\n  pi1", "dapi1"),
        ("token = a=b:c", "a=b:c"),
        ("token = a%b%(host)s$x", "a%b%(host)s$x"),
        ('"token" = dapi1', "dapi1"),
        ("token =", ""),
        ("token = # nothing", ""),
    ],
)
def test_a_value(tmp_path: Path, line: str, value: str) -> None:
    """Quotes, comments after a blank, continued lines; nothing is interpolated."""
    sections = read(tmp_path, f"[p]\n{line}\n[q]\nhost = x\n".encode())
    assert sections == {"p": {"token": value}, "q": {"host": "x"}}


@pytest.mark.parametrize("line", ["# a comment", "; a comment", "", "   ", "  # indented", b"# caf\xe9"])
def test_what_is_no_line_of_a_section(tmp_path: Path, line: str | bytes) -> None:
    """Comments and empty lines, also one of an encoding of old."""
    raw = line if isinstance(line, bytes) else line.encode()
    assert read(tmp_path, b"[p]\n" + raw + b"\ntoken = x") == {"p": {"token": "x"}}


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"],
)
def test_the_encodings_that_editors_write(home: Path, encoding: str) -> None:
    """With a byte-order mark or without; UTF-16 is what PowerShell's `>` writes."""
    path = home / ".databrickscfg"
    path.write_bytes(f"# Grüße\r\n[DEFAULT]\r\nhost = {HOST}\r\ntoken = x\r\n".encode(encoding))
    path.chmod(0o600)
    assert (Config.resolve().host, Config.resolve().token) == (HOST, "x")


def test_unknown_sections_and_keys_are_left_alone(home: Path) -> None:
    """Other tools keep theirs in the same file."""
    path = home / ".databrickscfg"
    path.write_text(
        f"[__settings__]\nauth_storage = secure\n[x]\njobs-api-version = 2.1\n[p]\nhost={HOST}\ntoken=t\nz=1"
    )
    path.chmod(0o600)
    before = path.read_bytes()
    assert Config.resolve(profile="p").token == "t"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("[p]\ndapi-secret\n", "(line 2): neither a section nor a key with '=' and a value"),
        ("[p\ntoken = dapi-secret", "(line 1): a section without its closing bracket"),
        ("[]\ntoken = dapi-secret", "(line 1): a section without a name"),
        ("[p]\n= dapi-secret", "(line 2): a value without a key"),
        ('[p]\ntoken = """dapi-secret\n\n', '(line 2): a value that begins with """ and has no end'),
        (b"[p]\nx = 1\ntoken = dapi-secret\xff\n", "(line 3): neither UTF-8 nor UTF-16 text: save it as UTF-8"),
        (b"\xff\xfe[\x00p\x00]\x00\n", "it begins like UTF-16-LE and is not: save it as UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, data: str | bytes, said: str) -> None:
    """What is wrong and where, and never a line of the file: nor in the traceback's variables."""
    error = refused(tmp_path, data)
    assert str(error).startswith(f"{tmp_path / 'cfg'} is not a valid configuration file")
    assert said in str(error)
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    frames = shown[shown.index("in read_sections") :]
    assert "dapi-secret" not in frames


def test_a_file_that_others_may_read_gets_a_warning(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, with what to do; none where the file holds no secret, or is its owner's alone."""
    path = home / ".databrickscfg"
    path.write_text(f"[open]\nhost = {HOST}\n[p]\nhost = {HOST}\ntoken = t")
    with caplog.at_level(logging.WARNING):
        path.chmod(0o600)
        Config.resolve(profile="p")
        path.chmod(0o644)
        Config.resolve(profile="open")
        assert caplog.messages == []
        Config.resolve(profile="p")
        Config.resolve(profile="p")
    assert caplog.messages == [f"{path} holds secrets and others may read it: chmod 600 {path}"]
