"""Messages for students about exceptions: type and place in their own notebook, and nothing of a hidden test.

The exception's own text is never shown. It may carry a hidden input, either in the test's words or because the
student's code reports its arguments.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence

from autograder.check.error_place import Tell
from autograder.check.words import exception_name, sentence
from autograder.errors import AnswerError, LostError, RemoteError
from autograder.examiner.origin import ANYTHING
from autograder.records.exam import Exam, ExamCell, Role
from autograder.syntax.names import bindings
from autograder.syntax.pytest_cells import MODULE

MAX_MESSAGES = 8
"""Most failures of one cell that get a line of their own."""

_WRONG = "A hidden test found a wrong answer."
_ENDS = {
    "KeyboardInterrupt": "took too long and was stopped",  # the kernel stops a call with this exception
    "SystemExit": "called exit",
}


class ExaminationTimeout(BaseException):
    """A test cell exceeded its time; ``except Exception`` in the cell does not catch it."""


class Wording:
    """The rules for what students may read about exceptions."""

    def __init__(
        self,
        tell: Tell = lambda error: (exception_name(error), ""),
        is_public: Callable[[str], bool] = lambda name: True,
        ended: Callable[[str], str] = lambda name: "",
    ) -> None:
        """Create the rules.

        Args:
            tell: returns the type of an exception, and its place in the student's notebook; "" if there is none.
            is_public: tells whether a name occurs in what students have, so that a message may name it.
            ended: says of a name that is not defined which cell was to make it and ended before: the end of a sentence.
        """
        self.tell = tell
        self.is_public = is_public
        self.ended = ended

    def of(self, errors: Sequence[BaseException], cell: ExamCell) -> str:
        """Return the message about the failures of one cell, one line each, without duplicates."""
        sentences = [self._explain(error, cell) for error in errors]
        wrong = sentences.count(_WRONG)
        lines = list(dict.fromkeys(sentences))
        if wrong > 1:
            lines[lines.index(_WRONG)] = f"{wrong} hidden tests found wrong answers."
        if len(lines) > MAX_MESSAGES:
            lines[MAX_MESSAGES:] = [f"… and {len(lines) - MAX_MESSAGES} more."]
        return "\n".join(lines)

    def _explain(self, error: BaseException, cell: ExamCell) -> str:
        if isinstance(error, ExaminationTimeout):
            return "Checking this answer took too long and was stopped."
        if isinstance(error, LostError):
            return self.sentence(error)
        by_student = hasattr(error, "remote")
        if isinstance(error, NameError) and not by_student and error.name:
            if not self.is_public(error.name):
                return "A name is not defined."
            return f"`{error.name}` is not defined{self.ended(error.name)}."
        if isinstance(error, RemoteError) and not by_student:
            return self.sentence(error)
        kind, position = self.tell(error) if by_student else (exception_name(error), "")
        by = f"your code {_ended(error, kind)}" if by_student else kind
        at = f" in {position}" if position else ""
        if quoted := _quoted(error, cell):
            assertion = isinstance(error, AssertionError) and not by_student
            return f"Failed at {quoted}" + ("." if assertion else f": {by}{at}.")
        if isinstance(error, AssertionError) and not by_student:
            return _WRONG
        return f"A hidden test failed: {by}{at}."

    def sentence(self, error: BaseException) -> str:
        """Return the kit's own text about an answer as a sentence, without a name that students do not have."""
        if isinstance(error, AnswerError) and not self.is_public(error.answer):
            return sentence(f"an answer {error.problem}")
        return sentence(str(error))


def _ended(error: BaseException, kind: str) -> str:
    """Return how the student's code ended; the kernel's claim is only compared with names of the kit's own."""
    if not isinstance(error, RemoteError) or kind == ANYTHING:
        return f"raised {kind}"
    claimed = getattr(error, "remote", {}).get("classes")
    classes = {name for name in claimed if type(name) is str} if type(claimed) is list else set()
    return next((words for name, words in _ENDS.items() if name in classes), "raised an exception")


def public_words(exam: Exam) -> frozenset[str]:
    """Return every word of the released notebook, and the names that its answers must bind."""
    words = frozenset(re.findall(r"\w+", "\n".join(cell.released for cell in exam.cells)))
    bound_by_answers = (bindings(c.source) for c in exam.cells if c.role is Role.ANSWER and c.cell_type == "code")
    return words.union(*((b.assigned | b.definitions.keys()) for b in bound_by_answers))


def test_file(cell: ExamCell) -> str:
    """Return the file name under which a test cell's code is compiled."""
    return f"<test {cell.grade_id}>"


def _quoted(error: BaseException, cell: ExamCell) -> str:
    """Quote the line that ended the test, and the one before it whose failure an ``except`` took up.

    Lines that students do not have are left out; without the first, nothing is quoted.
    """
    visible = {text.strip() for text in cell.released.splitlines()} - {""}
    raising, failing = _line(error, cell), _line(error.__context__, cell) if error.__context__ else ""
    if raising not in visible:
        return ""
    after = f", after `{failing[:200]}`" if failing in visible - {raising} else ""
    return f"`{raising[:200]}`{after}"


def _line(error: BaseException, cell: ExamCell) -> str:
    """Return the test's line that was running when the exception passed through it."""
    number = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        name = frame.f_code.co_name
        if cell.file and frame.f_code.co_filename == test_file(cell) and name not in ("<module>", MODULE):
            number = line
            break
        if frame.f_code.co_filename == test_file(cell):
            number = number if number and name != "<module>" else line
    lines = cell.source.splitlines()
    return lines[number - 1].strip() if number and number <= len(lines) else ""
