"""A sentence is never a switch: nothing asks a text that was written for people what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.sentence_switches import switches

PACKAGE = Path(__file__).parents[2] / "autograder"
OTHERS = {
    "examiner/undecided.py": "PyTorch's words: its exceptions have no types of their own",
    "extensions/pytorch/kernel_side/torch_model.py": "torch.export's words; and a set of words, which is no text",
    "release/cell_metadata.py": "nbgrader's words",
    "extensions/gradebook/database.py": "nbgrader's and SQLite's words",
}
"""Texts that others wrote, whose authors give no other way."""
NO_TEXTS = {
    "examiner/student_text/sql_verbs.py": "a statement of SQL",
    "coordinator/carried_files.py": "names of files",
    "extensions/cluster/grader.py": "a message is a dict",
    "extensions/insight/shared_failures.py": "Python's name of an exception",
    "extensions/pytorch/torch_network.py": "the kernel's claim: one of a closed list",
    "extensions/serve/worker.py": "whether a reason is a new one for the log",
    "extensions/training_steps/training_step.py": "the kernel's claim: one of a closed list",
    "kernel/dialogue.py": "a message is a dict",
    "extensions/pytest_files/pytest_file_reader.py": "names of a file",
    "sandbox/supervisor/fork.py": "a message is a dict",
    "syntax/times.py": "words of a name",
}
DISPLAY = {
    "cli/installation.py": "the first line is the problem and the second the remedy",
    "examination/notebook_grading.py": "a page says nothing twice",
    "extensions/diagnosis/why.py": "a page says nothing twice",
    "extensions/trust/audit_words.py": "a page says nothing twice",
    "records/grade.py": "a page says nothing twice",
    "release/fault_list.py": "a list says nothing twice",
    "_util/yaml_record.py": "a list says nothing twice",
}
"""Places where a changed sentence changes a page, and nothing else."""


def test_no_new_sentence_decides() -> None:
    asking = {
        str(path.relative_to(PACKAGE)): found
        for path in sorted(PACKAGE.rglob("*.py"))
        if (found := list(switches(path.read_text(encoding="utf-8"))))
    }
    known = OTHERS | NO_TEXTS | DISPLAY
    assert {name: found for name, found in asking.items() if name not in known} == {}
    assert known.keys() - asking.keys() == set(), "it asks no longer: take it out of the list"


@pytest.mark.parametrize(
    "code",
    [
        "question.detail.startswith(AT_END)",
        "'NameError' in question.detail",
        "why.detail.strip().partition(':')",
        "re.search(STOPPED, grade.message)",
        "_ENDS.findall(details.detail)",
        "'full' in str(error)",
        "outcome.reason == 'busy'",
        "any('gets points' in warning for warning in proof.warnings)",
    ],
)
def test_a_text_that_decides_is_found(code: str) -> None:
    assert len(list(switches(code))) == 1


@pytest.mark.parametrize(
    "code", ["question.message == ''", "job.state in FINAL", "error.errno == 28", "len(reason) > 3"]
)
def test_values_may_decide(code: str) -> None:
    assert list(switches(code)) == []
