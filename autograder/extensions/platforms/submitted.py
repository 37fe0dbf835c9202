"""The files of one submission as the platform has them: a notebook, modules, several files, or an archive of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from autograder._util.text import one_line
from autograder.errors import SubmissionError
from autograder.submissions.export_names import is_archive, is_notebook, without_export_files
from autograder.submissions.folder import read_chunks, walk
from autograder.submissions.identity import UnplacedSubmission, resolve
from autograder.submissions.lms import Item
from autograder.submissions.members import LARGEST, ArchiveLimits, write_new
from autograder.submissions.placement import answer_modules, answer_root, common_folder, notebook_name, top_notebooks

STUDENT = "student"
"""The name of every student here: the platform knows whose submission it is."""
MAX_NAMES = 5


def take(
    folder: Path, assignment: str, expected: Sequence[str], work: Path, target: Path, limits: ArchiveLimits
) -> tuple[str, ...]:
    """Copy a submission's files into a new folder, the notebook under its released name.

    Where answers stand in files, these alone are a submission, too. Of an archive that otter's export made, only the
    notebook and the declared files are taken, whether the platform has opened it or not.

    Args:
        folder: what the student uploaded.
        assignment: the assignment's name.
        expected: the paths of its notebooks and answer files.
        work: an empty folder for what is unpacked.
        target: the folder to make.
        limits: bounds of a submission.

    Returns:
        Notes for the student: what was not taken, and why.

    Raises:
        SubmissionError: there is no answer, or it is not clear which notebook is meant; a sentence for the student.
    """
    submitted, notes = _unplaced_submission(folder, assignment, tuple(expected), work, limits)
    target.mkdir(mode=0o700)
    for name, source in submitted.files.items():
        write_new(target / name, read_chunks(submitted.root, source, LARGEST))
    return (*notes, *submitted.notes)


def _unplaced_submission(
    folder: Path, assignment: str, expected: tuple[str, ...], work: Path, limits: ArchiveLimits
) -> tuple[UnplacedSubmission, list[str]]:
    listed = walk(folder, limits)
    notes = [f"{one_line(m.name)} was not taken: {m.problem}" for m in listed if m.problem][:MAX_NAMES]
    members = [member for member in listed if not member.problem]
    books = [member for member in members if is_notebook(member.name)]
    archives = [member for member in members if is_archive(member.name)]
    if not books and len(archives) == 1:
        item = Item(archives[0].name, (archives[0],), student=STUDENT, is_archive=True)
        submitted = resolve(assignment, expected, folder, item, work, limits)
        _check(submitted.files, expected)
        return submitted, notes
    prefix = common_folder([member.name for member in members])
    names = {member.name.removeprefix(prefix): member for member in members}
    handed_in = {name: names[name] for name in without_export_files("", names)}
    _check(handed_in, expected)
    prefix += answer_root(handed_in, expected) or ""
    chosen = tuple(member for member in handed_in.values() if member.name.startswith(prefix))
    item = Item("submission", chosen, prefix=prefix, student=STUDENT)
    return resolve(assignment, expected, folder, item, work, limits), notes


def _check(names: Iterable[str], expected: tuple[str, ...]) -> None:
    """Refuse a submission without a notebook or an answer file, or with several notebooks that could be meant."""
    names = tuple(names)
    tops = top_notebooks(names)
    notebooks = tuple(filter(is_notebook, expected))
    if not tops and answer_root(names, expected) is not None:
        return
    if not tops and (answers := answer_modules(expected)):
        names_asked = " and ".join(answers)
        raise SubmissionError(f"No file that you were asked for is in this submission. Hand in {names_asked}.")
    wanted = " and ".join(notebooks)
    if not tops:
        raise SubmissionError(f"There is no notebook in this submission. Hand in {wanted}.")
    meant = Counter(notebook_name(name, notebooks, alone=len(tops) == 1) for name in tops)
    notebook_list = ", ".join(one_line(name, 80) for name in sorted(tops)[:MAX_NAMES])
    for notebook in notebooks:
        if meant[notebook] > 1:
            raise SubmissionError(
                f"More than one notebook in this submission could be {notebook}: {notebook_list}. "
                "Hand in the one that you mean."
            )
    if not any(meant[notebook] for notebook in notebooks):
        raise SubmissionError(
            f"There are {len(tops)} notebooks in this submission ({notebook_list}), and none is called {wanted}. "
            "Hand in the one that you mean, under that name."
        )
