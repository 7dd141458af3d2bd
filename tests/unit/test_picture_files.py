from __future__ import annotations

import os

import pytest

from picture_cases import CASES
from specweave_ml.errors import Refused, StoreError
from specweave_ml.store.pictures import FOLDER, outdated_pictures, remove_pictures, write_pictures

OURS = "<!-- specweave:picture v1 -->\n<svg>{}</svg>\n"
A, B = {"a.svg": OURS.format("a")}, {"b.svg": OURS.format("b")}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / FOLDER


def test_what_is_planned_is_known_as_ours_when_it_is_there(tmp_path, folder):
    wanted = {name: picture.svg for name, picture in CASES["three"]().pictures().items()}
    assert write_pictures(str(tmp_path), wanted) == ("cost.svg", "differences.svg")
    assert {path.name: path.read_text() for path in folder.iterdir()} == wanted
    assert remove_pictures(str(tmp_path), wanted) == ()
    assert remove_pictures(str(tmp_path), {}) == ("cost.svg", "differences.svg")


def test_a_second_time_nothing_is_touched(tmp_path, folder):
    write_pictures(str(tmp_path), A)
    before = (folder / "a.svg").stat().st_mtime_ns
    assert outdated_pictures(str(tmp_path), A) == ()
    assert write_pictures(str(tmp_path), A) == ()
    assert (folder / "a.svg").stat().st_mtime_ns == before


def test_a_checkout_that_changed_the_line_ends_is_current(tmp_path, folder):
    write_pictures(str(tmp_path), A)
    (folder / "a.svg").write_bytes(A["a.svg"].replace("\n", "\r\n").encode())
    assert outdated_pictures(str(tmp_path), A) == ()
    assert write_pictures(str(tmp_path), A) == ()
    assert remove_pictures(str(tmp_path), {}) == ("a.svg",)


def test_a_check_names_what_is_new_changed_or_left_over_and_writes_nothing(tmp_path, folder):
    assert outdated_pictures(str(tmp_path), A) == ("a.svg",)
    assert not folder.exists()
    write_pictures(str(tmp_path), A | B)
    assert outdated_pictures(str(tmp_path), {"b.svg": OURS.format("c")}) == ("a.svg", "b.svg")
    assert (folder / "a.svg").exists()


def test_only_ours_are_removed_and_the_folder_with_the_last(tmp_path, folder):
    write_pictures(str(tmp_path), A | B)
    (folder / "theirs.svg").write_text("<svg>drawn by hand</svg>")
    (folder / "a.png").write_bytes(OURS.encode())
    (folder / "sub.svg").mkdir()
    (folder / "link.svg").symlink_to(folder / "b.svg")
    assert remove_pictures(str(tmp_path), B) == ("a.svg",)
    assert {path.name for path in folder.iterdir()} == {"a.png", "b.svg", "link.svg", "sub.svg", "theirs.svg"}
    for name in ("theirs.svg", "a.png", "link.svg"):
        (folder / name).unlink()
    (folder / "sub.svg").rmdir()
    assert remove_pictures(str(tmp_path), {}) == ("b.svg",)
    assert not folder.exists()
    assert remove_pictures(str(tmp_path), {}) == ()


def test_a_picture_that_comparison_md_names_is_not_removed(tmp_path, folder):
    """A training that ends while a sync goes on writes both, and the sync does not know of them."""
    write_pictures(str(tmp_path), A | B)
    (tmp_path / "comparison.md").write_text("![b](_pictures/b.svg)\n")
    assert remove_pictures(str(tmp_path), {}) == ("a.svg",)
    assert {path.name for path in folder.iterdir()} == {"b.svg"}


def test_nothing_wanted_makes_no_folder(tmp_path, folder):
    assert write_pictures(str(tmp_path), {}) == ()
    assert not folder.exists()


@pytest.mark.parametrize(
    "make", [lambda path: path.write_text("<svg/>"), lambda path: path.symlink_to("x"), os.mkdir, os.mkfifo]
)
def test_somebodys_file_of_that_name_is_kept_and_nothing_is_written(tmp_path, folder, make):
    folder.mkdir()
    make(folder / "b.svg")
    with pytest.raises(Refused, match=r"b\.svg is not a picture of ours"):
        write_pictures(str(tmp_path), A | B)
    assert not (folder / "a.svg").exists()


def test_a_linked_folder_is_refused(tmp_path, folder):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "old.svg").write_text(OURS)
    folder.symlink_to(elsewhere)
    with pytest.raises(Refused, match="symbolic link"):
        write_pictures(str(tmp_path), A)
    with pytest.raises(Refused, match="symbolic link"):
        remove_pictures(str(tmp_path), A)
    assert [path.name for path in elsewhere.iterdir()] == ["old.svg"]


def test_a_folder_that_cannot_be_made_is_an_error_with_its_path(tmp_path, folder):
    folder.write_text("a file")
    with pytest.raises(StoreError, match="cannot be written") as caught:
        write_pictures(str(tmp_path), A)
    assert FOLDER in str(caught.value)
    assert outdated_pictures(str(tmp_path), A) == ("a.svg",)
