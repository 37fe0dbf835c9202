"""Tests of CS224n's parser, written for the comparison: the course's stand in the module that students write."""

import pytest
from parser_transitions import PartialParse, minibatch_parse


def test_a_parse_begins_with_the_root():
    sentence = ["I", "parse", "this"]
    parse = PartialParse(sentence)
    assert parse.stack == ["ROOT"]
    assert parse.buffer == ["I", "parse", "this"]
    assert parse.dependencies == []


def test_the_sentence_stays():
    sentence = ["I", "parse", "this"]
    parse = PartialParse(sentence)
    parse.parse(["S", "S"])
    assert sentence == ["I", "parse", "this"]
    assert parse.buffer == ["this"]


STEPS = {
    "S": (["ROOT", "the", "cat"], ["sat"], ["ROOT", "the", "cat", "sat"], [], []),
    "LA": (["ROOT", "the", "cat"], ["sat"], ["ROOT", "cat"], ["sat"], [("cat", "the")]),
    "RA": (["ROOT", "run", "fast"], [], ["ROOT", "run"], [], [("run", "fast")]),
}


@pytest.mark.parametrize("transition", STEPS)
def test_a_step(transition):
    stack, buffer, stack_after, buffer_after, dependencies = STEPS[transition]
    parse = PartialParse([])
    parse.stack, parse.buffer, parse.dependencies = list(stack), list(buffer), []
    parse.parse_step(transition)
    assert parse.stack == stack_after
    assert parse.buffer == buffer_after
    assert parse.dependencies == dependencies


def test_a_whole_parse():
    parse = PartialParse(["parse", "this", "sentence"])
    dependencies = parse.parse(["S", "S", "S", "LA", "RA", "RA"])
    assert sorted(dependencies) == [("ROOT", "parse"), ("parse", "sentence"), ("sentence", "this")]


class Model:
    """A model that shifts all words, and then makes arcs in one direction; it notes the sizes of its batches."""

    def __init__(self, arc="RA"):
        self.arc, self.sizes = arc, []

    def predict(self, parses):
        self.sizes.append(len(parses))
        return ["S" if len(parse.buffer) > 0 else self.arc for parse in parses]


SENTENCES = [["right", "arcs", "only"], ["one"], ["two", "words"], ["once", "more", "please", "now"]]


@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_minibatches(size):
    dependencies = minibatch_parse([list(sentence) for sentence in SENTENCES], Model(), size)
    wanted = [[*zip(sentence[-2::-1], sentence[:0:-1], strict=True), ("ROOT", sentence[0])] for sentence in SENTENCES]
    assert [[tuple(pair) for pair in one] for one in dependencies] == wanted


def test_no_batch_is_larger():
    model = Model()
    minibatch_parse([list(sentence) for sentence in SENTENCES], model, 3)
    assert max(model.sizes) == 3
    assert sum(model.sizes) == 20
