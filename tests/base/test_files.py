"""Files are written whole or not at all; a link is followed, a mode kept, a pipe or device written to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stockpipe.base.files import read_plain, replace_file

pytestmark = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has neither modes nor pipes in its file system"
)


def _write(path: Path, text: str, mode: int = 0o666, *, waits: bool = False) -> None:
    with replace_file(path, mode, waits=waits) as made:
        made.write_text(text)


def _modes() -> dict[str, str]:
    return {path.name: oct(stat.S_IMODE(path.lstat().st_mode)) for path in Path().iterdir()}


def test_a_new_file_gets_the_mode_less_the_umask() -> None:
    before = os.umask(0o027)
    try:
        _write(Path("new"), "text")
        _write(Path("private"), "text", 0o600)
    finally:
        os.umask(before)
    assert _modes() == {"new": "0o640", "private": "0o600"}


@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_an_existing_file_keeps_its_mode(mode: int) -> None:
    Path("old").write_text("old")
    Path("old").chmod(mode)
    _write(Path("old"), "new")
    assert (Path("old").read_text(), _modes()) == ("new", {"old": oct(mode)})


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can give a file away")
def test_an_existing_file_keeps_its_owner() -> None:
    Path("old").write_text("old")
    os.chown("old", 1234, 4321)
    _write(Path("old"), "new")
    assert (Path("old").stat().st_uid, Path("old").stat().st_gid) == (1234, 4321)


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_followed(there: bool) -> None:
    Path("data").mkdir()
    if there:
        Path("data/file").write_text("old")
    Path("second").symlink_to("data/file")
    Path("first").symlink_to("second")
    _write(Path("first"), "new")
    assert (Path("first").is_symlink(), Path("second").is_symlink(), Path("data/file").read_text()) == (
        True,
        True,
        "new",
    )
    assert [path.name for path in Path("data").iterdir()] == ["file"]


def test_an_error_leaves_the_old_file_and_nothing_else() -> None:
    Path("old").write_text("old")
    with pytest.raises(UnicodeEncodeError), replace_file(Path("old")) as made:
        made.write_text("half\ud800", encoding="utf-8")
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("old", "old")]


def test_a_full_disk_leaves_the_old_file_and_nothing_else() -> None:
    Path("old").write_text("old")
    # A limit on the size of files stands for the full disk.
    program = (
        "import resource, signal; from pathlib import Path; from stockpipe.base.files import replace_file\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    with replace_file(Path('old')) as made: made.write_text('x' * 10000)\n"
        "except OSError as error: print(error.errno)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("27\n", "")
    assert [(path.name, path.read_text()) for path in Path().iterdir()] == [("old", "old")]


@pytest.mark.parametrize("through_a_link", [True, False])
def test_a_pipe_is_written_to(through_a_link: bool) -> None:
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_text()))
    reader.start()
    _write(Path("link" if through_a_link else "pipe"), "text", waits=True)
    reader.join(10)
    assert (read, stat.S_ISFIFO(Path("pipe").stat().st_mode), Path("link").is_symlink()) == (["text"], True, True)


def test_a_pipe_that_nobody_reads_holds_nobody() -> None:
    os.mkfifo("pipe")
    with pytest.raises(OSError, match="No such device or address"):
        _write(Path("pipe"), "text")
    with pytest.raises(OSError, match="it is no plain file"):
        read_plain(Path("pipe"), 100)
    assert [path.name for path in Path().iterdir()] == ["pipe"]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_written_to_and_stays_one() -> None:
    try:
        os.mknod("null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        os.mknod("disk", 0o600 | stat.S_IFBLK, os.makedev(7, 250))
    except OSError:
        pytest.skip("no devices may be made here")
    if not os.access("null", os.W_OK):
        pytest.skip("no devices may be used here")
    try:
        _write(Path("null"), "text")
    except PermissionError:
        pytest.skip("no devices may be used here")
    assert stat.S_ISCHR(Path("null").stat().st_mode)
    with pytest.raises(OSError, match="it is a disk or a socket"):
        _write(Path("disk"), "text")
    assert stat.S_ISBLK(Path("disk").stat().st_mode)


def test_the_null_device_of_the_system_is_written_to() -> None:
    _write(Path("/dev/null"), "text")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
    with pytest.raises(OSError, match="it is no plain file"):
        read_plain(Path("/dev/zero"), 100)


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "link"])
def test_standard_output_is_written_on(name: str) -> None:
    Path("link").symlink_to("/dev/stdout")
    program = f"from pathlib import Path; from stockpipe.base.files import replace_file\nwith replace_file(Path({name!r})) as made: made.write_text('second')"
    Path("out").write_text("first ")
    with Path("out").open("a") as out:
        done = subprocess.run([sys.executable, "-c", program], stdout=out, stderr=subprocess.PIPE, text=True)
    assert (done.stderr, Path("out").read_text()) == ("", "first second")
    piped = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (piped.stderr, piped.stdout) == ("", "second")


def test_a_folder_or_a_circle_of_links_is_an_error() -> None:
    Path("folder").mkdir()
    Path("circle").symlink_to("circle")
    for name in ("folder", "circle", "none/file"):
        with pytest.raises(OSError, match=name.partition("/")[0]):
            _write(Path(name), "text")
    assert sorted(path.name for path in Path().iterdir()) == ["circle", "folder"]


def test_a_file_is_read_up_to_its_bound() -> None:
    Path("file").write_bytes(b"12345")
    assert read_plain(Path("file"), 5) == b"12345"
    with pytest.raises(OSError, match="File too large"):
        read_plain(Path("file"), 4)
