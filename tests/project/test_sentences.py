"""A sentence is never a switch: nothing asks a text that was written for people what is in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers.sentence_switches import sentence_names, switches

PACKAGE = Path(__file__).parents[2] / "autograder"
OTHERS = {
    "execution/termination.py": "Python's words: a kernel sends an error as a text",
    "extensions/otter/examined.py": "otter's words",
    "extensions/otter/solutions.py": "otter's words",
    "examiner/undecided.py": "PyTorch's words: its exceptions have no types of their own",
    "extensions/pytorch/kernel_side/torch_model.py": "torch.export's words; and a set of words, which is no text",
    "release/cell_metadata.py": "nbgrader's words",
    "extensions/gradebook/database.py": "nbgrader's and SQLite's words",
}
"""Texts that others wrote, whose authors give no other way."""
NO_TEXTS = {
    "examiner/student_text/sql_verbs.py": "a statement of SQL",
    "extensions/networks/own_layers.py": "a kind of a layer, one of a closed list",
    "coordinator/carried_files.py": "names of files",
    "coordinator/mutants.py": "a kind of answer, one of a closed list",
    "examination/attempt.py": "a statement of Python",
    "exchange/blob_container.py": "a version of a format",
    "extensions/cluster/grader.py": "a message is a dict",
    "extensions/insight/shared_failures.py": "Python's name of an exception",
    "extensions/pytorch/graph_layers.py": "a kind of a layer, one of a closed list",
    "extensions/pytorch/torch_network.py": "the kernel's claim: one of a closed list",
    "extensions/serve/worker.py": "whether a reason is a new one for the log",
    "extensions/training_steps/training_step.py": "the kernel's claim: one of a closed list",
    "extensions/trust/mutants/result_forms.py": "a pattern of words in an author's task",
    "extensions/trust/mutants/cheats.py": "a kind of answer, one of a closed list",
    "kernel/dialogue.py": "a message is a dict",
    "extensions/pytest_files/pytest_file_reader.py": "names of a file",
    "sandbox/supervisor/fork.py": "a message is a dict",
    "syntax/times.py": "words of a name",
}
DISPLAY = {
    "cli/installation.py": "the first line is the problem and the second the remedy",
    "examination/notebook_grading.py": "a page says nothing twice",
    "examiner/wording.py": "a page says nothing twice",
    "extensions/diagnosis/why.py": "a page says nothing twice",
    "extensions/lms/canvas.py": "a comment that was sent before is known by its words alone",
    "extensions/trust/audit_words.py": "a page says nothing twice",
    "records/grade.py": "a page says nothing twice",
    "release/fault_list.py": "a list says nothing twice",
    "_util/yaml_record.py": "a list says nothing twice",
}
"""Places where a changed sentence changes a page, and nothing else."""


def test_no_new_sentence_decides() -> None:
    sources = {path.relative_to(PACKAGE): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
    own = {
        ".".join(("autograder", *path.with_suffix("").parts)): sentence_names(source, {})
        for path, source in sources.items()
    }
    asking = {
        str(path): found
        for path, source in sources.items()
        if (found := list(switches(source, sentence_names(source, own))))
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
    "code", ["line.partition(COLD)", "COLD in line", "run.error == COLD", "said in COLD", "text.startswith(COLD)"]
)
def test_a_sentence_of_another_module_that_decides_is_found(code: str) -> None:
    source = f"from autograder.templates import NOT_FORKED as COLD\n{code}"
    names = sentence_names(source, {"autograder.templates": sentence_names("NOT_FORKED = f'{a} are not forked'", {})})
    assert len(list(switches(source, names))) == 1


@pytest.mark.parametrize(
    "code", ["question.message == ''", "job.state in FINAL", "error.errno == 28", "len(reason) > 3"]
)
def test_values_may_decide(code: str) -> None:
    assert list(switches(code)) == []
