from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from adapter.interfaces.streams import OutputFault, folder, output, output_fault


def test_a_block_that_raises_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"before")
    for target in ("out", "new"):
        with pytest.raises(RuntimeError, match="halfway"), output(str(tmp_path / target)) as put:
            put(b"half")
            raise RuntimeError("halfway")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"out": b"before"}


def test_the_blocks_own_trouble_with_files_is_not_taken_for_the_outputs(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), output(str(tmp_path / "out")) as put:
        put(b"half")
        (tmp_path / "not there").read_bytes()


def test_nothing_is_there_until_all_is(tmp_path: Path) -> None:
    with output(str(tmp_path / "out")) as put:
        put(b"one ")
        assert not (tmp_path / "out").exists()
        put(b"two")
    assert (tmp_path / "out").read_bytes() == b"one two"


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputFault, match="directory"), output(str(tmp_path)) as put:
        put(b"x")
    assert list(tmp_path.iterdir()) == []


# what to do about it ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("number", "mend"),
    [
        (errno.ENOSPC, "make room, or name another place to write to"),
        (errno.EDQUOT, "make room, or name another place to write to"),
        (errno.EACCES, "name a place that you may write to"),
        (errno.EROFS, "name a place that you may write to"),
        (errno.EISDIR, "name a file: this is a folder"),
        (errno.ENOENT, "make the folder first, or name one that is there"),
        (errno.ENOTDIR, "name a folder: a file is in its place"),
        (errno.ENAMETOOLONG, "name it more shortly"),
        (errno.EIO, "name another place to write to"),
    ],
    ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else "",
)
def test_the_mend_fits_the_error(number: int, mend: str) -> None:
    assert output_fault(OSError(number, os.strerror(number)), "out").mend == mend


def test_a_folder_that_is_not_there_or_is_a_file_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for target, mend in (
        (tmp_path / "no" / "out", "make the folder first"),
        (tmp_path / "file" / "out", "name a folder"),
        (tmp_path, "name a file"),
        (tmp_path / ("a" * 300), "name it more shortly"),
    ):
        with pytest.raises(OutputFault) as raised, output(str(target)) as put:
            put(b"x")
        assert raised.value.mend.startswith(mend), target
    with pytest.raises(OutputFault) as raised:
        folder(tmp_path / "file")
    assert raised.value.mend.startswith("name a folder")
