"""Objects of a stranger's git repository: commits and files, read by git from a copy that nothing of theirs configures.

    clone/.git ─ objects, refs ─▶ a bare copy with a configuration of its own ─ rev-list, ls-tree, cat-file ─▶ files

Nothing is checked out. The repository's configuration, hooks, attributes, filters, alternates, replaced objects and
submodules are not there: only names on a list are copied, and no link is followed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import resource
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from autograder._util.text import one_line
from autograder.errors import HostError, SubmissionError
from autograder.submissions.members import CHUNK, MIB

MAX_REPOSITORY_BYTES = 2048 * MIB
MAX_ENTRIES = 200_000
"""Files of a repository's own, and lines of what git lists."""
MAX_LISTED_BYTES = 32 * MIB
MAX_MEMORY_BYTES = 4096 * MIB
MAX_SECONDS = 60.0
_HEX = r"[0-9a-f]"
_COPIED = re.compile(
    rf"HEAD|packed-refs|shallow|refs/.+|reftable/[^/]+"
    rf"|objects/pack/pack-{_HEX}+\.(?:pack|idx)|objects/{_HEX}{{2}}/{_HEX}{{38,62}}"
)
_LONG_PACK = re.compile(rf"pack-{_HEX}{{64}}\.pack")
_TIPS = ("refs/remotes/origin/HEAD", "HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master")
"""What a student's branch is called, in the order in which it is looked for: a fetch moves the first."""
_INCOMPLETE = (
    "objects of the repository are missing or damaged: clone it without --depth, --filter, --shared and --reference"
)


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the branch."""

    id: str
    time: datetime
    """The committer's date, as the student's computer wrote it."""


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One entry of a commit's tree."""

    path: str
    """Path with ``/``; bytes that are no UTF-8 are surrogates."""
    mode: str
    id: str
    size: int

    @property
    def is_file(self) -> bool:
        """Whether it is a plain file, and no link and no submodule."""
        return self.mode in ("100644", "100755", "100664")


class GitObjects:
    """The objects of one repository.

    Args:
        repository: folder with ``HEAD``, ``objects`` and ``refs``: a bare repository, or ``.git`` of a clone.
        copy: path of the copy to make.

    Raises:
        SubmissionError: the repository is too large, or has nothing to read.
        HostError: git is not installed.
    """

    def __init__(self, repository: Path, copy: Path) -> None:
        git = shutil.which("git")
        if git is None:
            raise HostError("git is not installed here: it reads students' clones")
        self._git, self._copy = git, copy
        self.is_shallow = (repository / "shallow").is_file()
        _copy(repository, copy)

    def tip(self) -> str:
        """Return the newest commit of the student's branch.

        Raises:
            SubmissionError: there is none.
        """
        for name in _TIPS:
            with contextlib.suppress(SubmissionError):
                return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
        raise SubmissionError("the repository has no commit")

    def commits(self, tip: str) -> list[Commit]:
        """List the states of a branch, the newest first: merged branches count as of their merge.

        Raises:
            SubmissionError: objects are missing, or there are too many.
        """
        lines = self._text("rev-list", "--first-parent", "--timestamp", f"--max-count={MAX_ENTRIES}", tip).splitlines()
        return [Commit(id, _moment(seconds)) for seconds, _, id in (line.partition(" ") for line in lines)]

    def entries(self, commit: str) -> list[TreeEntry]:
        """List the files, links and submodules of a commit.

        Raises:
            SubmissionError: objects are missing, or there are too many.
        """
        listed = self._text("ls-tree", "-r", "-z", "--long", "--full-tree", commit).split("\0")
        if len(listed) > MAX_ENTRIES:
            raise SubmissionError(f"the commit has more than {MAX_ENTRIES} files")
        entries = []
        for line in filter(None, listed):
            facts, _, path = line.partition("\t")
            mode, _, id, size = facts.split()
            entries.append(TreeEntry(path, mode, id, int(size) if size.isdigit() else 0))
        return entries

    def contents(self, entries: Sequence[TreeEntry]) -> Iterator[tuple[TreeEntry, IO[bytes]]]:
        """Yield files with their bytes, as they are in the repository: no filter is applied.

        Raises:
            SubmissionError: an object is missing.
        """
        size = MIB + sum(entry.size + 200 for entry in entries)
        with self._objects([entry.id for entry in entries], size) as objects:
            for entry, (kind, length, file) in zip(entries, objects, strict=True):
                if (kind, length) != (b"blob", entry.size):
                    raise SubmissionError(_INCOMPLETE)
                yield entry, file

    def require_named(self, commit: str) -> None:
        """Require that a commit and its folders are what their ids say; files are compared when they are read.

        Git itself believes the place of an object in a repository.

        Raises:
            SubmissionError: they are not, or are missing.
        """
        lines = self._text("ls-tree", "-r", "-d", "-z", "--full-tree", commit).split("\0")
        folders = {line.split()[2] for line in lines if line.split()[1:2] == ["tree"]}
        root = self._text("rev-parse", "--verify", f"{commit}^{{tree}}").strip()
        with self._objects([commit, root, *folders], MAX_LISTED_BYTES) as objects:
            for _ in objects:
                pass

    @contextlib.contextmanager
    def _objects(self, ids: Sequence[str], most: int) -> Iterator[Iterator[tuple[bytes, int, IO[bytes]]]]:
        """Yield kind, size and bytes of objects, each of which is what its id says."""
        with self._output(("cat-file", "--batch"), "".join(f"{id}\n" for id in ids).encode(), most) as file:
            yield _compared_objects(file, ids)

    def _text(self, *words: str) -> str:
        with self._output(words, b"", MAX_LISTED_BYTES) as file:
            return file.read().decode("utf-8", "surrogateescape")

    @contextlib.contextmanager
    def _output(self, words: Sequence[str], lines: bytes, most: int) -> Iterator[IO[bytes]]:
        """Run git, and yield a file with what it wrote.

        Raises:
            SubmissionError: git failed, took too long, or wrote more than ``most`` bytes.
        """
        with (
            tempfile.TemporaryFile(dir=self._copy.parent) as stdin,
            tempfile.TemporaryFile(dir=self._copy.parent) as out,
        ):
            stdin.write(lines)
            stdin.seek(0)
            arguments = [self._git, "--no-pager", f"--git-dir={self._copy}", *words]
            silent = subprocess.DEVNULL
            environment = {**_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath), "HOME": str(self._copy.parent)}
            with subprocess.Popen(
                arguments, stdin=stdin, stdout=out, stderr=silent, env=environment, cwd=self._copy
            ) as process:
                try:
                    limits = ((resource.RLIMIT_AS, MAX_MEMORY_BYTES), (resource.RLIMIT_FSIZE, most))
                    for kind, value in limits if hasattr(resource, "prlimit") else ():  # macOS has none
                        with contextlib.suppress(ProcessLookupError):
                            resource.prlimit(process.pid, kind, (value, value))
                    status = process.wait(MAX_SECONDS)
                except subprocess.TimeoutExpired:
                    raise SubmissionError(f"git read the repository for more than {MAX_SECONDS:g} s") from None
                finally:
                    process.kill()
            if os.fstat(out.fileno()).st_size >= most:
                raise SubmissionError("the repository has too much to list")
            if status != 0:
                raise SubmissionError(_INCOMPLETE)
            out.seek(0)
            yield out


def _compared_objects(file: IO[bytes], ids: Sequence[str]) -> Iterator[tuple[bytes, int, IO[bytes]]]:
    """Yield kind, size and bytes of objects that git wrote, each compared with its id.

    Raises:
        SubmissionError: one is missing, or another one than its id says.
    """
    for id in ids:
        header = file.readline(200).split()
        if len(header) != 3:
            raise SubmissionError(_INCOMPLETE)
        kind, size, start = header[1], int(header[2]), file.tell()
        digest = hashlib.new("sha1" if len(id) == 40 else "sha256", b"%s %d\0" % (kind, size))
        while chunk := file.read(min(CHUNK, start + size - file.tell())):
            digest.update(chunk)
        if digest.hexdigest() != id:
            raise SubmissionError(_INCOMPLETE)
        file.seek(start)
        yield kind, size, file
        file.seek(start + size + 1)


_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def _moment(seconds: str) -> datetime:
    """Return a commit's time; one that no calendar has is as far away as it can be."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.max.replace(tzinfo=UTC)


def _copy(repository: Path, copy: Path) -> None:
    """Copy objects and refs, and write a configuration beside them.

    Raises:
        SubmissionError: the repository is too large.
    """
    names = list(_own_files(repository))
    for folder in ("objects/pack", "refs"):
        (copy / folder).mkdir(parents=True)
    bytes_left = MAX_REPOSITORY_BYTES
    for name in names:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with _plain_file(repository / name) as source, target.open("xb") as file:
            while chunk := source.read(CHUNK * 16):
                bytes_left -= len(chunk)
                if bytes_left < 0:
                    raise SubmissionError(f"the repository is larger than {MAX_REPOSITORY_BYTES // MIB} MiB")
                file.write(chunk)
    extensions = [
        *(["refStorage = reftable"] if any(name.startswith("reftable/") for name in names) else []),
        *(["objectFormat = sha256"] if any(map(_LONG_PACK.search, names)) else []),
    ]
    version, more = (1, "[extensions]\n" + "\n".join(extensions)) if extensions else (0, "")
    (copy / "config").write_text(f"[core]\nrepositoryformatversion = {version}\nbare = true\n{more}\n")


def _own_files(repository: Path) -> Iterator[str]:
    """Yield the paths of a repository's plain files that are copied; no link to a folder is followed.

    Raises:
        SubmissionError: there are too many.
    """
    count = 0
    for folder, folders, files in os.walk(repository, followlinks=False):
        below = Path(folder).relative_to(repository).as_posix()
        if below == ".":
            folders[:] = [name for name in folders if name in ("objects", "refs", "reftable")]
        for name in files:
            count += 1
            if count > MAX_ENTRIES:
                raise SubmissionError(
                    f"the repository has more than {MAX_ENTRIES} files of its own: run `git gc` in it"
                )
            path = name if below == "." else f"{below}/{name}"
            if _COPIED.fullmatch(path) and stat.S_ISREG((repository / path).lstat().st_mode):
                yield path


def _plain_file(path: Path) -> IO[bytes]:
    """Open a file that is no link and no pipe.

    Raises:
        SubmissionError: it is one, or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise SubmissionError(f"{one_line(path.name)} of the repository cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise SubmissionError(f"{one_line(path.name)} of the repository is no plain file")
    return os.fdopen(descriptor, "rb")
