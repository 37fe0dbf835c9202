"""Classes of forty in which each question has four or five natural forms, with honest look-alikes and copies of known kinds.

It is harder than :mod:`helpers.similar_class`: a form of an answer is shared by several honest students, two follow the
lecture everywhere, and three asked one assistant. ``<x|y|z>`` is a name that a student chooses, the same one for the
same choices within an answer.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Mapping, Sequence

from helpers.disguises import Answers, commented, renamed, reordered, rewritten
from helpers.similar_class import CopiedClass

KINDS = (
    "as it stands", "reordered", "comments", "loops", "renamed", "loops, renamed", "merged from two", "one cell",
    "all disguises", "one cell, renamed",
)  # fmt: skip
HONEST, LECTURE, PROMPT = 25, 2, 3

Forms = Mapping[str, Sequence[str]]
"""Question → forms of its answer, the lecture's first."""

ARRAYS: Forms = {
    "standardize": (
        "def standardize(X):\n    <mean|mu|m|avg> = X.mean(axis=0)\n    <std|sigma|s|dev> = X.std(axis=0)\n    return (X - <mean|mu|m|avg>) / (<std|sigma|s|dev> + 1e-8)",
        "def standardize(X):\n    <mean|mu|m|avg> = np.mean(X, axis=0)\n    <std|sigma|s|dev> = np.std(X, axis=0)\n    <std|sigma|s|dev>[<std|sigma|s|dev> == 0] = 1\n    return (X - <mean|mu|m|avg>) / <std|sigma|s|dev>",
        "def standardize(X):\n    <out|Z|result|scaled> = np.zeros_like(X)\n    for <j|c|col|k> in range(X.shape[1]):\n        <column|v|x|part> = X[:, <j|c|col|k>]\n        <out|Z|result|scaled>[:, <j|c|col|k>] = (<column|v|x|part> - <column|v|x|part>.mean()) / (<column|v|x|part>.std() + 1e-8)\n    return <out|Z|result|scaled>",
        "def standardize(X):\n    <c|centered|d|diff> = X - X.mean(axis=0)\n    <v|var|spread|q> = (<c|centered|d|diff> ** 2).mean(axis=0)\n    return <c|centered|d|diff> / np.sqrt(<v|var|spread|q> + 1e-12)",
    ),
    "one_hot": (
        "def one_hot(labels, classes):\n    <out|Y|result|hot> = np.zeros((len(labels), classes))\n    <out|Y|result|hot>[np.arange(len(labels)), labels] = 1\n    return <out|Y|result|hot>",
        "def one_hot(labels, classes):\n    return np.eye(classes)[labels]",
        "def one_hot(labels, classes):\n    <out|Y|result|hot> = np.zeros((labels.shape[0], classes))\n    for <i|row|r|n> in range(len(labels)):\n        <out|Y|result|hot>[<i|row|r|n>, labels[<i|row|r|n>]] = 1\n    return <out|Y|result|hot>",
        "def one_hot(labels, classes):\n    <rows|all_rows|lines|acc> = []\n    for <label|c|value|t> in labels:\n        <row|line|one|vec> = [0] * classes\n        <row|line|one|vec>[<label|c|value|t>] = 1\n        <rows|all_rows|lines|acc>.append(<row|line|one|vec>)\n    return np.array(<rows|all_rows|lines|acc>)",
        "def one_hot(labels, classes):\n    return (labels[:, None] == np.arange(classes)).astype(int)",
    ),
    "confusion": (
        "def confusion(truth, guess, classes):\n    <table|cm|matrix|M> = np.zeros((classes, classes), dtype=int)\n    for <t|a|i|x>, <p|b|j|g> in zip(truth, guess):\n        <table|cm|matrix|M>[<t|a|i|x>, <p|b|j|g>] += 1\n    return <table|cm|matrix|M>",
        "def confusion(truth, guess, classes):\n    <table|cm|matrix|M> = np.zeros((classes, classes))\n    for <i|a|r|row> in range(classes):\n        for <j|b|c|col> in range(classes):\n            <table|cm|matrix|M>[<i|a|r|row>, <j|b|c|col>] = np.sum((truth == <i|a|r|row>) & (guess == <j|b|c|col>))\n    return <table|cm|matrix|M>",
        "def confusion(truth, guess, classes):\n    <table|cm|matrix|M> = np.zeros((classes, classes), int)\n    np.add.at(<table|cm|matrix|M>, (truth, guess), 1)\n    return <table|cm|matrix|M>",
        "def confusion(truth, guess, classes):\n    <flat|code|both|idx> = np.asarray(truth) * classes + np.asarray(guess)\n    return np.bincount(<flat|code|both|idx>, minlength=classes * classes).reshape(classes, classes)",
    ),
    "moving_average": (
        "def moving_average(values, width):\n    return np.convolve(values, np.ones(width) / width, mode='valid')",
        "def moving_average(values, width):\n    <c|total|sums|acc> = np.cumsum(np.insert(values, 0, 0))\n    return (<c|total|sums|acc>[width:] - <c|total|sums|acc>[:-width]) / width",
        "def moving_average(values, width):\n    <out|means|res|r> = []\n    for <i|start|j|pos> in range(len(values) - width + 1):\n        <out|means|res|r>.append(np.mean(values[<i|start|j|pos>:<i|start|j|pos> + width]))\n    return <out|means|res|r>",
        "def moving_average(values, width):\n    <out|means|res|r> = []\n    <window|part|win|buf> = sum(values[:width])\n    <out|means|res|r>.append(<window|part|win|buf> / width)\n    for <i|n|j|pos> in range(width, len(values)):\n        <window|part|win|buf> += values[<i|n|j|pos>] - values[<i|n|j|pos> - width]\n        <out|means|res|r>.append(<window|part|win|buf> / width)\n    return <out|means|res|r>",
    ),
    "softmax": (
        "def softmax(z):\n    <e|ex|exps|q> = np.exp(z - z.max(axis=1, keepdims=True))\n    return <e|ex|exps|q> / <e|ex|exps|q>.sum(axis=1, keepdims=True)",
        "def softmax(z):\n    <top|m|peak|big> = np.max(z, axis=1).reshape(-1, 1)\n    <e|ex|exps|q> = np.exp(z - <top|m|peak|big>)\n    <norm|s|total|den> = np.sum(<e|ex|exps|q>, axis=1).reshape(-1, 1)\n    return <e|ex|exps|q> / <norm|s|total|den>",
        "def softmax(z):\n    <out|p|res|probs> = np.empty_like(z)\n    for <i|n|r|row> in range(z.shape[0]):\n        <e|ex|exps|q> = np.exp(z[<i|n|r|row>] - max(z[<i|n|r|row>]))\n        <out|p|res|probs>[<i|n|r|row>] = <e|ex|exps|q> / sum(<e|ex|exps|q>)\n    return <out|p|res|probs>",
        "def softmax(z):\n    <logs|lse|l|norm> = np.log(np.exp(z).sum(axis=1))\n    return np.exp(z - <logs|lse|l|norm>[:, None])",
    ),
    "descent": (
        "def descent(X, y, rate, steps):\n    <w|theta|weights|beta> = np.zeros(X.shape[1])\n    for <_|step|it|k> in range(steps):\n        <grad|g|dw|d> = X.T @ (X @ <w|theta|weights|beta> - y) / len(y)\n        <w|theta|weights|beta> -= rate * <grad|g|dw|d>\n    return <w|theta|weights|beta>",
        "def descent(X, y, rate, steps):\n    <n|rows|m|count>, <d|cols|f|dim> = X.shape\n    <w|theta|weights|beta> = np.zeros(<d|cols|f|dim>)\n    for <_|step|it|k> in range(steps):\n        <err|e|diff|res> = np.dot(X, <w|theta|weights|beta>) - y\n        <w|theta|weights|beta> = <w|theta|weights|beta> - rate * np.dot(<err|e|diff|res>, X) / <n|rows|m|count>\n    return <w|theta|weights|beta>",
        "def descent(X, y, rate, steps):\n    <w|theta|weights|beta> = np.zeros(X.shape[1])\n    <step|it|k|t> = 0\n    while <step|it|k|t> < steps:\n        <guess|pred|p|out> = X.dot(<w|theta|weights|beta>)\n        <grad|g|dw|d> = np.mean((<guess|pred|p|out> - y)[:, None] * X, axis=0)\n        <w|theta|weights|beta> = <w|theta|weights|beta> - rate * <grad|g|dw|d>\n        <step|it|k|t> += 1\n    return <w|theta|weights|beta>",
        "def descent(X, y, rate, steps):\n    <w|theta|weights|beta> = np.zeros(X.shape[1])\n    for <_|step|it|k> in range(steps):\n        <grad|g|dw|d> = np.zeros_like(<w|theta|weights|beta>)\n        for <row|x|xi|r>, <target|t|yi|a> in zip(X, y):\n            <grad|g|dw|d> += (<row|x|xi|r> @ <w|theta|weights|beta> - <target|t|yi|a>) * <row|x|xi|r>\n        <w|theta|weights|beta> -= rate * <grad|g|dw|d> / len(y)\n    return <w|theta|weights|beta>",
    ),
}

TEXTS: Forms = {
    "counts": (
        "def counts(text):\n    <table|d|freq|c> = {}\n    for <word|w|token|t> in text.split():\n        <table|d|freq|c>[<word|w|token|t>] = <table|d|freq|c>.get(<word|w|token|t>, 0) + 1\n    return <table|d|freq|c>",
        "def counts(text):\n    <table|d|freq|c> = {}\n    for <word|w|token|t> in text.split():\n        if <word|w|token|t> in <table|d|freq|c>:\n            <table|d|freq|c>[<word|w|token|t>] += 1\n        else:\n            <table|d|freq|c>[<word|w|token|t>] = 1\n    return <table|d|freq|c>",
        "def counts(text):\n    from collections import Counter\n    return dict(Counter(text.split()))",
        "def counts(text):\n    <words|ws|tokens|parts> = text.split()\n    return {<word|w|u|t>: <words|ws|tokens|parts>.count(<word|w|u|t>) for <word|w|u|t> in set(<words|ws|tokens|parts>)}",
    ),
    "caesar": (
        "def caesar(text, shift):\n    <out|res|s|coded> = ''\n    for <c|ch|letter|x> in text:\n        if <c|ch|letter|x>.isalpha():\n            <base|start|a|o> = ord('A') if <c|ch|letter|x>.isupper() else ord('a')\n            <out|res|s|coded> += chr((ord(<c|ch|letter|x>) - <base|start|a|o> + shift) % 26 + <base|start|a|o>)\n        else:\n            <out|res|s|coded> += <c|ch|letter|x>\n    return <out|res|s|coded>",
        "def caesar(text, shift):\n    import string\n    <low|small|a|l> = string.ascii_lowercase\n    <turned|moved|b|m> = <low|small|a|l>[shift % 26:] + <low|small|a|l>[:shift % 26]\n    <table|trans|t|mapping> = str.maketrans(<low|small|a|l> + <low|small|a|l>.upper(), <turned|moved|b|m> + <turned|moved|b|m>.upper())\n    return text.translate(<table|trans|t|mapping>)",
        "def caesar(text, shift):\n    <letters|chars|l|acc> = []\n    for <c|ch|letter|x> in text:\n        if 'a' <= <c|ch|letter|x> <= 'z':\n            <c|ch|letter|x> = chr((ord(<c|ch|letter|x>) - 97 + shift) % 26 + 97)\n        elif 'A' <= <c|ch|letter|x> <= 'Z':\n            <c|ch|letter|x> = chr((ord(<c|ch|letter|x>) - 65 + shift) % 26 + 65)\n        <letters|chars|l|acc>.append(<c|ch|letter|x>)\n    return ''.join(<letters|chars|l|acc>)",
        "def caesar(text, shift):\n    <abc|alphabet|az|al> = 'abcdefghijklmnopqrstuvwxyz'\n    <res|out|s|coded> = ''\n    for <c|ch|letter|x> in text:\n        <i|pos|n|k> = <abc|alphabet|az|al>.find(<c|ch|letter|x>.lower())\n        if <i|pos|n|k> < 0:\n            <res|out|s|coded> += <c|ch|letter|x>\n            continue\n        <new|d|y|e> = <abc|alphabet|az|al>[(<i|pos|n|k> + shift) % 26]\n        <res|out|s|coded> += <new|d|y|e>.upper() if <c|ch|letter|x>.isupper() else <new|d|y|e>\n    return <res|out|s|coded>",
    ),
    "primes": (
        "def primes(limit):\n    <sieve|is_prime|flags|s> = [True] * (limit + 1)\n    <sieve|is_prime|flags|s>[:2] = [False, False]\n    for <i|n|p|k> in range(2, int(limit ** 0.5) + 1):\n        if <sieve|is_prime|flags|s>[<i|n|p|k>]:\n            for <j|m|q|mult> in range(<i|n|p|k> * <i|n|p|k>, limit + 1, <i|n|p|k>):\n                <sieve|is_prime|flags|s>[<j|m|q|mult>] = False\n    return [<i|n|p|k> for <i|n|p|k>, <flag|ok|f|b> in enumerate(<sieve|is_prime|flags|s>) if <flag|ok|f|b>]",
        "def primes(limit):\n    <found|result|out|ps> = []\n    for <n|i|num|c> in range(2, limit + 1):\n        if all(<n|i|num|c> % <p|d|q|k> for <p|d|q|k> in <found|result|out|ps>):\n            <found|result|out|ps>.append(<n|i|num|c>)\n    return <found|result|out|ps>",
        "def primes(limit):\n    <found|result|out|ps> = []\n    for <n|i|num|c> in range(2, limit + 1):\n        <ok|prime|flag|is_p> = True\n        for <d|j|k|q> in range(2, <n|i|num|c>):\n            if <n|i|num|c> % <d|j|k|q> == 0:\n                <ok|prime|flag|is_p> = False\n                break\n        if <ok|prime|flag|is_p>:\n            <found|result|out|ps>.append(<n|i|num|c>)\n    return <found|result|out|ps>",
        "def primes(limit):\n    <rest|todo|cand|left> = list(range(2, limit + 1))\n    <found|result|out|ps> = []\n    while <rest|todo|cand|left>:\n        <p|head|first|n> = <rest|todo|cand|left>[0]\n        <found|result|out|ps>.append(<p|head|first|n>)\n        <rest|todo|cand|left> = [<n_|x|k|m> for <n_|x|k|m> in <rest|todo|cand|left> if <n_|x|k|m> % <p|head|first|n>]\n    return <found|result|out|ps>",
    ),
    "distance": (
        "def distance(a, b):\n    <d|table|dp|m> = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]\n    for <i|r|x|n> in range(len(a) + 1):\n        <d|table|dp|m>[<i|r|x|n>][0] = <i|r|x|n>\n    for <j|c|y|k> in range(len(b) + 1):\n        <d|table|dp|m>[0][<j|c|y|k>] = <j|c|y|k>\n    for <i|r|x|n> in range(1, len(a) + 1):\n        for <j|c|y|k> in range(1, len(b) + 1):\n            <cost|s|sub|w> = 0 if a[<i|r|x|n> - 1] == b[<j|c|y|k> - 1] else 1\n            <d|table|dp|m>[<i|r|x|n>][<j|c|y|k>] = min(<d|table|dp|m>[<i|r|x|n> - 1][<j|c|y|k>] + 1, <d|table|dp|m>[<i|r|x|n>][<j|c|y|k> - 1] + 1, <d|table|dp|m>[<i|r|x|n> - 1][<j|c|y|k> - 1] + <cost|s|sub|w>)\n    return <d|table|dp|m>[-1][-1]",
        "def distance(a, b):\n    if not a or not b:\n        return len(a) + len(b)\n    if a[0] == b[0]:\n        return distance(a[1:], b[1:])\n    return 1 + min(distance(a[1:], b), distance(a, b[1:]), distance(a[1:], b[1:]))",
        "def distance(a, b):\n    <row|prev|line|old> = list(range(len(b) + 1))\n    for <i|n|k|r>, <ca|x|p|u> in enumerate(a, 1):\n        <new|cur|nxt|q> = [<i|n|k|r>]\n        for <j|m|c|s>, <cb|y|t|v> in enumerate(b, 1):\n            <new|cur|nxt|q>.append(min(<row|prev|line|old>[<j|m|c|s>] + 1, <new|cur|nxt|q>[-1] + 1, <row|prev|line|old>[<j|m|c|s> - 1] + (<ca|x|p|u> != <cb|y|t|v>)))\n        <row|prev|line|old> = <new|cur|nxt|q>\n    return <row|prev|line|old>[-1]",
        "def distance(a, b):\n    <memo|seen|cache|known> = {}\n    def <go|rec|f|solve>(i, j):\n        if i == 0 or j == 0:\n            return i + j\n        if (i, j) not in <memo|seen|cache|known>:\n            <best|r|v|w> = <go|rec|f|solve>(i - 1, j - 1) + (a[i - 1] != b[j - 1])\n            <memo|seen|cache|known>[i, j] = min(<best|r|v|w>, <go|rec|f|solve>(i - 1, j) + 1, <go|rec|f|solve>(i, j - 1) + 1)\n        return <memo|seen|cache|known>[i, j]\n    return <go|rec|f|solve>(len(a), len(b))",
    ),
    "median": (
        "def median(values):\n    <s|ordered|data|v> = sorted(values)\n    <n|size|count|l> = len(<s|ordered|data|v>)\n    <mid|m|half|h> = <n|size|count|l> // 2\n    if <n|size|count|l> % 2:\n        return <s|ordered|data|v>[<mid|m|half|h>]\n    return (<s|ordered|data|v>[<mid|m|half|h> - 1] + <s|ordered|data|v>[<mid|m|half|h>]) / 2",
        "def median(values):\n    <s|ordered|data|v> = sorted(values)\n    return (<s|ordered|data|v>[(len(<s|ordered|data|v>) - 1) // 2] + <s|ordered|data|v>[len(<s|ordered|data|v>) // 2]) / 2",
        "def median(values):\n    import statistics\n    return statistics.median(values)",
        "def median(values):\n    <rest|data|v|todo> = list(values)\n    while len(<rest|data|v|todo>) > 2:\n        <rest|data|v|todo>.remove(max(<rest|data|v|todo>))\n        <rest|data|v|todo>.remove(min(<rest|data|v|todo>))\n    return sum(<rest|data|v|todo>) / len(<rest|data|v|todo>)",
    ),
    "best": (
        "def best(scores, k):\n    return sorted(scores, key=scores.get, reverse=True)[:k]",
        "def best(scores, k):\n    <pairs|items|entries|p> = sorted(scores.items(), key=lambda <e|x|pair|kv>: -<e|x|pair|kv>[1])\n    return [<name|n|key|who> for <name|n|key|who>, <_|s|score|val> in <pairs|items|entries|p>[:k]]",
        "def best(scores, k):\n    <left|rest|copy|todo> = dict(scores)\n    <names|out|top|res> = []\n    while <left|rest|copy|todo> and len(<names|out|top|res>) < k:\n        <name|n|key|who> = max(<left|rest|copy|todo>, key=<left|rest|copy|todo>.get)\n        <names|out|top|res>.append(<name|n|key|who>)\n        del <left|rest|copy|todo>[<name|n|key|who>]\n    return <names|out|top|res>",
        "def best(scores, k):\n    import heapq\n    return heapq.nlargest(k, scores, key=lambda <name|n|key|who>: scores[<name|n|key|who>])",
        "def best(scores, k):\n    <values|vals|nums|v> = sorted(scores.values(), reverse=True)[:k]\n    <names|out|top|res> = []\n    for <value|x|num|s> in <values|vals|nums|v>:\n        for <name|n|key|who> in scores:\n            if scores[<name|n|key|who>] == <value|x|num|s> and <name|n|key|who> not in <names|out|top|res>:\n                <names|out|top|res>.append(<name|n|key|who>)\n                break\n    return <names|out|top|res>",
    ),
}

MODULES: Forms = {
    "Net": (
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.fc1 = nn.Linear(93, 64)\n        self.fc2 = nn.Linear(64, 9)\n\n    def forward(self, x):\n        x = torch.relu(self.fc1(x))\n        return self.fc2(x)",
        "class Net(nn.Module):\n    def __init__(self):\n        super(Net, self).__init__()\n        self.layers = nn.Sequential(nn.Linear(93, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 9))\n\n    def forward(self, x):\n        return self.layers(x)",
        "class Net(nn.Module):\n    def __init__(self, <hidden|width|units|h>=100):\n        super().__init__()\n        self.first = nn.Linear(93, <hidden|width|units|h>)\n        self.norm = nn.BatchNorm1d(<hidden|width|units|h>)\n        self.second = nn.Linear(<hidden|width|units|h>, <hidden|width|units|h> // 2)\n        self.last = nn.Linear(<hidden|width|units|h> // 2, 9)\n\n    def forward(self, x):\n        <h_|z|out|y> = F.relu(self.norm(self.first(x)))\n        <h_|z|out|y> = F.relu(self.second(<h_|z|out|y>))\n        return self.last(<h_|z|out|y>)",
        "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        <sizes|dims|w|widths> = [93, 64, 32, 9]\n        self.layers = nn.ModuleList(nn.Linear(<a|n|i|p>, <b|m|o|q>) for <a|n|i|p>, <b|m|o|q> in zip(<sizes|dims|w|widths>, <sizes|dims|w|widths>[1:]))\n\n    def forward(self, x):\n        for <layer|l|f|step> in self.layers[:-1]:\n            x = torch.tanh(<layer|l|f|step>(x))\n        return self.layers[-1](x)",
    ),
    "Rows": (
        "class Rows(Dataset):\n    def __init__(self, X, y):\n        self.X = torch.tensor(X, dtype=torch.float32)\n        self.y = torch.tensor(y, dtype=torch.long)\n\n    def __len__(self):\n        return len(self.X)\n\n    def __getitem__(self, i):\n        return self.X[i], self.y[i]",
        "class Rows(Dataset):\n    def __init__(self, X, y):\n        self.data = list(zip(X, y))\n\n    def __len__(self):\n        return len(self.data)\n\n    def __getitem__(self, index):\n        <row|x|a|features>, <label|t|b|target> = self.data[index]\n        return torch.as_tensor(<row|x|a|features>).float(), int(<label|t|b|target>)",
        "class Rows(TensorDataset):\n    def __init__(self, X, y):\n        super().__init__(torch.from_numpy(X).float(), torch.from_numpy(y).long())",
        "class Rows(Dataset):\n    def __init__(self, X, y):\n        self.rows = X\n        self.labels = y\n\n    def __len__(self):\n        return self.rows.shape[0]\n\n    def __getitem__(self, i):\n        <row|x|a|features> = torch.FloatTensor(self.rows[i])\n        <label|t|b|target> = torch.LongTensor([self.labels[i]])[0]\n        return <row|x|a|features>, <label|t|b|target>",
    ),
    "train": (
        "def train(net, loader, epochs):\n    <opt|optimizer|o|adam> = torch.optim.Adam(net.parameters(), lr=0.001)\n    <loss_fn|criterion|crit|ce> = nn.CrossEntropyLoss()\n    for <epoch|e|_|k> in range(epochs):\n        for <x|xb|batch|rows>, <y|yb|t|labels> in loader:\n            <opt|optimizer|o|adam>.zero_grad()\n            <loss|l|err|cost> = <loss_fn|criterion|crit|ce>(net(<x|xb|batch|rows>), <y|yb|t|labels>)\n            <loss|l|err|cost>.backward()\n            <opt|optimizer|o|adam>.step()",
        "def train(net, loader, epochs):\n    net.train()\n    <opt|optimizer|o|sgd> = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)\n    <log|hist|losses|h> = []\n    for <epoch|e|_|k> in range(epochs):\n        <total|s|sum_|acc> = 0.0\n        for <x|xb|batch|rows>, <y|yb|t|labels> in loader:\n            <out|p|pred|logits> = net(<x|xb|batch|rows>)\n            <loss|l|err|cost> = F.cross_entropy(<out|p|pred|logits>, <y|yb|t|labels>)\n            <opt|optimizer|o|sgd>.zero_grad()\n            <loss|l|err|cost>.backward()\n            <opt|optimizer|o|sgd>.step()\n            <total|s|sum_|acc> += <loss|l|err|cost>.item()\n        <log|hist|losses|h>.append(<total|s|sum_|acc> / len(loader))\n    return <log|hist|losses|h>",
        "def train(net, loader, epochs):\n    <rate|lr|r|eta> = 0.1\n    <step|n|it|i> = 0\n    while <step|n|it|i> < epochs:\n        for <batch|b|part|item> in loader:\n            <x|xb|inp|rows>, <y|yb|t|labels> = <batch|b|part|item>\n            <loss|l|err|cost> = nn.functional.nll_loss(torch.log_softmax(net(<x|xb|inp|rows>), dim=1), <y|yb|t|labels>)\n            net.zero_grad()\n            <loss|l|err|cost>.backward()\n            with torch.no_grad():\n                for <p|w|param|q> in net.parameters():\n                    <p|w|param|q> -= <rate|lr|r|eta> * <p|w|param|q>.grad\n        <step|n|it|i> += 1",
        "def train(net, loader, epochs):\n    <opt|optimizer|o|adam> = torch.optim.AdamW(net.parameters())\n    <plan|sched|s|steps> = torch.optim.lr_scheduler.StepLR(<opt|optimizer|o|adam>, 10, gamma=0.5)\n    for <epoch|e|_|k> in range(epochs):\n        for <i|n|j|b>, (<x|xb|batch|rows>, <y|yb|t|labels>) in enumerate(loader):\n            <loss|l|err|cost> = nn.CrossEntropyLoss()(net(<x|xb|batch|rows>), <y|yb|t|labels>)\n            <loss|l|err|cost>.backward()\n            <opt|optimizer|o|adam>.step()\n            <opt|optimizer|o|adam>.zero_grad()\n        <plan|sched|s|steps>.step()",
    ),
    "accuracy": (
        "def accuracy(net, loader):\n    net.eval()\n    <right|correct|hits|c> = 0\n    <total|n|count|all_> = 0\n    with torch.no_grad():\n        for <x|xb|batch|rows>, <y|yb|t|labels> in loader:\n            <pred|p|guess|out> = net(<x|xb|batch|rows>).argmax(dim=1)\n            <right|correct|hits|c> += (<pred|p|guess|out> == <y|yb|t|labels>).sum().item()\n            <total|n|count|all_> += len(<y|yb|t|labels>)\n    return <right|correct|hits|c> / <total|n|count|all_>",
        "@torch.no_grad()\ndef accuracy(net, loader):\n    <shares|means|accs|m> = [(net(<x|xb|batch|rows>).argmax(1) == <y|yb|t|labels>).float() for <x|xb|batch|rows>, <y|yb|t|labels> in loader]\n    return torch.cat(<shares|means|accs|m>).mean().item()",
        "def accuracy(net, loader):\n    <guesses|ps|preds|g> = []\n    <truth|ts|ys|true_> = []\n    for <x|xb|batch|rows>, <y|yb|t|labels> in loader:\n        <_|val|top|best>, <idx|pred|k|cls> = torch.max(net(<x|xb|batch|rows>).detach(), 1)\n        <guesses|ps|preds|g>.extend(<idx|pred|k|cls>.tolist())\n        <truth|ts|ys|true_>.extend(<y|yb|t|labels>.tolist())\n    return np.mean(np.array(<guesses|ps|preds|g>) == np.array(<truth|ts|ys|true_>))",
        "def accuracy(net, loader):\n    <wrong|bad|miss|f> = 0\n    for <x|xb|batch|rows>, <y|yb|t|labels> in loader:\n        for <logits|o|z|s>, <label|a|true_|v> in zip(net(<x|xb|batch|rows>), <y|yb|t|labels>):\n            if int(torch.argmax(<logits|o|z|s>)) != int(<label|a|true_|v>):\n                <wrong|bad|miss|f> += 1\n    return 1 - <wrong|bad|miss|f> / len(loader.dataset)",
    ),
    "split": (
        "def split(X, y, share):\n    <n|size|cut|k> = int(len(X) * share)\n    return X[:<n|size|cut|k>], y[:<n|size|cut|k>], X[<n|size|cut|k>:], y[<n|size|cut|k>:]",
        "def split(X, y, share):\n    <order|perm|idx|p> = np.random.default_rng(0).permutation(len(X))\n    <n|size|cut|k> = int(share * len(X))\n    <first|a|tr|one>, <second|b|te|two> = <order|perm|idx|p>[:<n|size|cut|k>], <order|perm|idx|p>[<n|size|cut|k>:]\n    return X[<first|a|tr|one>], y[<first|a|tr|one>], X[<second|b|te|two>], y[<second|b|te|two>]",
        "def split(X, y, share):\n    from sklearn.model_selection import train_test_split\n    <a|Xa|X1|train_X>, <b|Xb|X2|test_X>, <c|ya|y1|train_y>, <d|yb|y2|test_y> = train_test_split(X, y, train_size=share, random_state=1)\n    return <a|Xa|X1|train_X>, <c|ya|y1|train_y>, <b|Xb|X2|test_X>, <d|yb|y2|test_y>",
        "def split(X, y, share):\n    <mask|m|keep|sel> = np.zeros(len(X), dtype=bool)\n    <mask|m|keep|sel>[:round(share * len(X))] = True\n    return X[<mask|m|keep|sel>], y[<mask|m|keep|sel>], X[~<mask|m|keep|sel>], y[~<mask|m|keep|sel>]",
    ),
}
ASSIGNMENTS: Mapping[str, Forms] = {"arrays": ARRAYS, "texts": TEXTS, "PyTorch modules": MODULES}
_NOTES = (
    "first try",
    "as asked",
    "see the sheet",
    "this was the hard part",
    "checked by hand",
    "short and clear",
    "ok",
)
_CHOICES = re.compile(r"<([\w|]+)>")


def answer(form: str, rng: random.Random, *, pick: int | None = None) -> str:
    """Write a form with names of a student's own."""
    chosen: dict[str, str] = {}

    def name(match: re.Match[str]) -> str:
        options = match[1].split("|")
        option = rng.choice([each for each in options if each not in chosen.values()] or options)
        return chosen.setdefault(match[1], options[pick] if pick is not None else option)

    return _CHOICES.sub(name, form)


def remarked(source: str, rng: random.Random, share: float) -> str:
    """Put remarks between some lines."""
    lines: list[str] = []
    for line in source.split("\n"):
        if lines and rng.random() < share:
            lines.append(f"{line[: len(line) - len(line.lstrip())]}# {rng.choice(_NOTES)}")
        lines.append(line)
    return "\n".join(lines)


class _Habits(ast.NodeTransformer):
    """What students do otherwise in one form: names for parts of an expression, longer assignments, other small numbers."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.long_assignments = rng.random() < 0.3
        self.part_names = rng.sample(["part", "tmp", "step", "inner", "piece", "value"], 6)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if not self.long_assignments:
            return node
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        return ast.Assign([node.target], ast.BinOp(target, node.op, node.value))

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(self.rng.choice([1e-8, 1e-7, 1e-10, 1e-6])) if node.value in (1e-8, 1e-12) else node

    def visit_Assign(self, node: ast.Assign) -> ast.AST | list[ast.stmt]:
        return self._named(node)

    def visit_Return(self, node: ast.Return) -> ast.AST | list[ast.stmt]:
        return self._named(node)

    def _named(self, node: ast.Assign | ast.Return) -> ast.AST | list[ast.stmt]:
        """Give a call or sum within the statement a name, at times."""
        self.generic_visit(node)
        inside = [
            each
            for each in ast.walk(node)
            if isinstance(each, ast.Lambda | ast.ListComp | ast.GeneratorExp | ast.DictComp)
        ]
        parts = [each for each in ast.walk(node) if isinstance(each, ast.Call | ast.BinOp)]
        if inside or not parts or not self.part_names or self.rng.random() > 0.25:
            return node
        part, name = self.rng.choice(parts), self.part_names.pop()
        first = ast.Assign([ast.Name(name, ast.Store())], ast.parse(ast.unparse(part), mode="eval").body)
        rest = ast.parse(ast.unparse(node).replace(ast.unparse(part), name, 1)).body
        return [first, *rest]


def varied(source: str, rng: random.Random) -> str:
    """Write an answer with the habits of one student; what it does stays the same."""
    return ast.unparse(ast.fix_missing_locations(_Habits(rng).visit(ast.parse(source))))


def honest_answers(forms: Forms, rng: random.Random) -> Answers:
    """Draw the answers of a student who works alone."""
    notes = rng.choice([0.0, 0.0, 0.1, 0.3])
    return {q: [remarked(varied(answer(rng.choice(list(each)), rng), rng), rng, notes)] for q, each in forms.items()}


def class_of_forms(forms: Forms, seed: int, honest: int = HONEST) -> CopiedClass:
    """Draw a class: honest students, look-alikes, and a copier of each of :data:`KINDS`."""
    students = {f"s{n:03}": honest_answers(forms, random.Random(f"{seed}/{n}")) for n in range(honest)}
    copiers = {f"c{n}": honest_answers(forms, random.Random(f"{seed}/c{n}")) for n in range(len(KINDS))}
    made = with_copies(students, copiers, seed)
    return CopiedClass({**made.answers, **look_alikes(forms, seed)}, made.planted)


def look_alikes(forms: Forms, seed: int) -> dict[str, Answers]:
    """Write as two who follow the lecture everywhere, and as three who gave one prompt to an assistant."""
    made: dict[str, Answers] = {}
    for n in range(LECTURE):
        rng = random.Random(f"{seed}/lecture {n}")
        made[f"lecture{n}"] = {question: [answer(each[0], rng)] for question, each in forms.items()}
    rng = random.Random(f"{seed}/prompt")
    asked = {question: rng.choice(list(each)) for question, each in forms.items()}
    for n in range(PROMPT):
        own = random.Random(f"{seed}/prompt {n}")
        made[f"prompt{n}"] = {
            question: [answer(form, own, pick=0 if own.random() < 0.8 else None)] for question, form in asked.items()
        }
    return made


def with_copies(answers: Mapping[str, Answers], copiers: Mapping[str, Answers], seed: int) -> CopiedClass:
    """Add a copier of each of :data:`KINDS` to a class; ``copiers`` are the answers of their own."""
    rng = random.Random(f"{seed}/copies")
    sources = rng.sample(sorted(answers), len(KINDS) + 1)
    result, planted = dict(answers), dict[frozenset[str], str]()
    for (copier, own), kind, source in zip(copiers.items(), KINDS, sources, strict=False):
        result[copier] = copied(kind, answers[source], answers[sources[-1]], own, rng)
        planted[frozenset((copier, source))] = kind
        if kind == "merged from two":
            planted[frozenset((copier, sources[-1]))] = kind
    return CopiedClass(result, planted)


def copied(kind: str, source: Answers, second: Answers, own: Answers, rng: random.Random) -> Answers:
    """Make the answers of a copier."""
    if kind == "merged from two":
        return {name: (source if n % 2 else second).get(name, own[name]) for n, name in enumerate(own)}
    if kind.startswith("one cell"):
        chosen = max(rng.sample(sorted(source), min(3, len(source))), key=lambda name: len(source[name][0]))
        taken = source[chosen][0]
        return {**own, chosen: [renamed(taken, rng) if kind.endswith("renamed") else taken]}
    return {name: [_disguised(kind, cell, rng) for cell in cells] for name, cells in source.items()}


def _disguised(kind: str, cell: str, rng: random.Random) -> str:
    if kind in ("loops", "loops, renamed"):
        cell = rewritten(cell)
    if kind in ("renamed", "loops, renamed", "all disguises"):
        cell = renamed(cell, rng)
    if kind in ("reordered", "all disguises"):
        cell = reordered(cell, rng)
    return commented(cell, rng) if kind in ("comments", "all disguises") else cell


def parses(source: str) -> bool:
    """Tell whether a cell can be disguised."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True
