"""A small model of a term, written apart from the package: plain dicts and whole minutes in, the final table out.

It knows nothing of the package's modules, so that the same mistake would have to be made twice.
"""

from __future__ import annotations

import math
from typing import Any

DAY = 24 * 60
Facts = dict[str, Any]
"""``people``, ``assignments``, ``late_days``, ``groups``, ``drop``, ``cap``, ``extensions``, ``teams``, ``attempts``
(assignment → list of student, minute, scores of the questions), ``now`` (minute), ``final``."""


def final_table(facts: Facts) -> dict[str, dict[str, Any]]:
    """Student → total (percent or None), missing, excused, dropped, late_days."""
    people = {person["id"]: person for person in facts["people"]}
    results = {name: _student(facts, person) for name, person in people.items()}
    shown = [
        n
        for n, person in people.items()
        if person["status"] == "active" or any("scores" in r for r in results[n].values())
    ]
    counted = [a for a in facts["assignments"] if any("scores" in results[n][a["name"]] for n in people)]
    for a in counted:
        _points(a, [results[n][a["name"]] for n in shown])
    return {n: _total(facts, counted, results[n]) for n in shown}


def _student(facts: Facts, person: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Assignment → state, and of a graded one the scores and the share that being late left."""
    rule = facts["late_days"]
    budget = (rule["budget"] + person["extra_late_days"]) * DAY
    found: dict[str, dict[str, Any]] = {}
    for a in facts["assignments"]:
        mine = [
            e for e in facts["extensions"]
            if e["assignment"] in ("", a["name"]) and e["student"] in ("", person["id"]) and e["section"] in ("", person["section"])
        ]  # fmt: skip
        due = None
        if a["due"] is not None:
            base = a["due"] + person["extra_days"] * DAY
            due = max([base] + [e["due"] if e["due"] is not None else base + e["days"] * DAY for e in mine])
        close = a["close"]
        if close is not None and due is not None and due > a["due"]:
            close = max(close, due)
        found[a["name"]] = {"a": a, "due": due, "close": close, "excused": any(e["excused"] for e in mine), "used": 0}
    for mine in sorted(found.values(), key=lambda r: math.inf if r["due"] is None else r["due"]):
        _one(facts, person, mine, budget)
        budget -= mine["used"]
    return found


def _one(facts: Facts, person: dict[str, Any], mine: dict[str, Any], left: float) -> None:
    a = mine["a"]
    tries = _within_limits(
        a, sorted((t for t in facts["attempts"][a["name"]] if t[0] in _team(facts, a, person)), key=lambda t: t[1])
    )
    if not tries:
        mine["state"] = "excused" if mine["excused"] else "none"
        return
    graded = [(t, *_lost(facts, mine, t, left)) for t in tries]
    if a["counts"] == "best":
        chosen = graded[0]
        for one in graded[1:]:
            if max(0, sum(one[0][2]) - one[1]) > max(0, sum(chosen[0][2]) - chosen[1]):
                chosen = one
    else:
        in_time = [g for g in graded if mine["due"] is None or g[0][1] <= mine["due"] + a["grace"]]
        chosen = graded[-1] if a["counts"] == "last" else in_time[-1] if in_time else graded[0]
    attempt, lost, mine["used"] = chosen
    mine["state"] = "excused" if mine["excused"] else "graded"
    mine["scores"], mine["lost"] = attempt[2], lost


def _team(facts: Facts, a: dict[str, Any], person: dict[str, Any]) -> set[str]:
    if a["team_size"] < 2:
        return {person["id"]}

    def team(one: dict[str, Any]) -> tuple[str, str] | None:
        for scope in (a["name"], ""):
            for name, student, where in facts["teams"]:
                if (student, where) == (one["id"], scope):
                    return ("file", name)
        return ("roster", one["team"]) if one["team"] and one["status"] != "left" else None

    own = team(person)
    return {person["id"]} if own is None else {one["id"] for one in facts["people"] if team(one) == own}


def _within_limits(a: dict[str, Any], tries: list[Any]) -> list[Any]:
    kept: list[Any] = []
    for one in tries:
        today = sum(other[1] // DAY == one[1] // DAY for other in kept)
        if (a["daily"] is None or today < a["daily"]) and (a["total"] is None or len(kept) < a["total"]):
            kept.append(one)
    return kept


def _lost(facts: Facts, mine: dict[str, Any], attempt: Any, left: float) -> tuple[float, float]:
    """Points that an attempt loses, and minutes of late days that it takes."""
    a, rule = mine["a"], facts["late_days"]
    earned = sum(attempt[2])
    if mine["excused"]:
        return 0.0, 0
    if mine["close"] is not None and attempt[1] > mine["close"]:
        return earned, 0
    if mine["due"] is None or a["late"] == "none":
        return 0.0, 0
    late = attempt[1] - mine["due"] - a["grace"]
    if late <= 0:
        return 0.0, 0
    unit = {"day": DAY, "hour": 60, "exact": 1}[rule["round"]]
    most = a["late_days"] if a["late_days"] is not None else rule["per_assignment"]
    used = min(-(-late // unit) * unit, left, math.inf if most is None else most * DAY)
    late -= used
    if late <= 0:
        return 0.0, used
    share = 1.0 if a["late"] == "zero" else min(1.0, a["per_day"] * -(-late // DAY))
    return round(earned * share, 2), used


def _points(a: dict[str, Any], results: list[dict[str, Any]]) -> None:
    """Set the share of the points of each graded result."""
    for one in results:
        if one["state"] != "graded":
            continue
        pairs = list(zip(one["scores"], a["maxima"], strict=True))
        for _ in range(min(a["drop_questions"], len(pairs) - 1)):
            pairs.remove(min(pairs, key=lambda p: p[0] / p[1]))
        earned, kept = sum(one["scores"]), sum(p[0] for p in pairs)
        one["points"] = kept * (1 - one["lost"] / earned) if earned else 0.0
        one["of"] = sum(p[1] for p in pairs)
    graded = [one for one in results if one["state"] == "graded"]
    best = max((one["points"] / one["of"] for one in graded), default=0)
    for one in graded:
        share = one["points"] / one["of"]
        kind, number = a["curve"]
        if kind == "add":
            share += number / one["of"]
        elif kind == "factor":
            share *= number
        elif kind == "sqrt":
            share = share if share > 1 else math.sqrt(share)
        elif kind == "best" and 0 < best < 1:
            share /= best
        one["share"] = share if a["cap"] is None else min(share, a["cap"] / one["of"])


def _total(facts: Facts, assignments: list[dict[str, Any]], results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    missing, dropped = [], []
    for a in assignments:
        one = results[a["name"]]
        if one["state"] == "none" and (facts["final"] or (one["due"] is not None and one["due"] < facts["now"])):
            one["share"] = 0.0
            missing.append(a["name"])
    weighted, weights = 0.0, 0.0
    for name, group in (facts["groups"] or {"": {"weight": 1, "drop": facts["drop"]}}).items():
        own = [a for a in assignments if a["group"] == name and "share" in results[a["name"]]]
        regular = [a for a in own if not a["extra_credit"]]
        for _ in range(min(group["drop"], len(regular) - 1)):
            worst = min(regular, key=lambda a: round(results[a["name"]]["share"], 9))
            regular.remove(worst)
            own.remove(worst)
            dropped.append(worst["name"])
        weight = {a["name"]: a["weight"] if a["weight"] is not None else sum(a["maxima"]) for a in own}
        whole = sum(weight[a["name"]] for a in regular)
        if whole:
            weighted += group["weight"] * sum(weight[a["name"]] * results[a["name"]]["share"] for a in own) / whole
            weights += group["weight"]
    total = 100 * weighted / weights if weights else None
    if total is not None and facts["cap"] is not None:
        total = min(total, facts["cap"])
    return {
        "total": total,
        "missing": sorted(missing),
        "excused": sorted(a["name"] for a in assignments if results[a["name"]]["state"] == "excused"),
        "dropped": sorted(dropped),
        "late_days": sum(one["used"] for one in results.values()) / DAY,
    }
