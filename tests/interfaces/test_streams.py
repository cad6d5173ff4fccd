from __future__ import annotations

from pathlib import Path

import pytest

from adapter.interfaces.streams import OutputFault, output


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
