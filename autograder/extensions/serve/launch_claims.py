"""Launch claims: accounts of a learning system that came in by a person's number in the registry.

In some learning systems people may write that number into their profile. So it is a claim, until people.csv has the
account's own number as ``lti_id``. The account is noted, shown to staff, and waits once another one claims the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from autograder.extensions.serve.lti_launch import Launch
from autograder.extensions.serve.models import LaunchClaim
from autograder.term.people import Person, Roster

ACCOUNT, REGISTRY = "lti_id", "sis_id"
"""Columns of people.csv: the account's own number, and the registry's."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One person's number, and the accounts that came in by it."""

    person: Person
    accounts: tuple[LaunchClaim, ...]
    is_contested: bool
    """Whether it opens nothing now."""


def with_account(roster: Roster, subject: str) -> Person | None:
    """Return the only person whose account has this number, letter by letter; None if there is none, or several."""
    holders = [person for person in roster.people if subject and person.ids.get(ACCOUNT) == subject]
    return holders[0] if len(holders) == 1 else None


def claimed(roster: Roster, launch: Launch) -> Person | None:
    """Note that an account claims a number of the registry; return its person, whether or not the claim opens anything.

    A person whose account is known is reached by that account alone, and so is none here.
    """
    person = roster.with_id(REGISTRY, launch.registry)
    if person is None or person.ids.get(ACCOUNT):
        return None
    values = {"name": launch.name[:200]}
    LaunchClaim.objects.update_or_create(person=person.id, subject=launch.subject[:255], defaults=values)
    return person


def opens(person: Person, subject: str) -> bool:
    """Tell whether an account's claim lets it in: no other account claims this person, and it claims no other."""
    if person.ids.get(ACCOUNT):
        return person.ids[ACCOUNT] == subject
    of_person = LaunchClaim.objects.filter(person=person.id).values_list("subject", flat=True)
    of_subject = LaunchClaim.objects.filter(subject=subject).values_list("person", flat=True)
    return set(of_person) == {subject} and set(of_subject) == {person.id}


def unsettled(roster: Roster) -> list[Claim]:
    """List the people who came in by the registry's number alone, those with several claims first."""
    claims: dict[str, list[LaunchClaim]] = {}
    for claim in LaunchClaim.objects.order_by("pk"):
        claims.setdefault(claim.person, []).append(claim)
    people = [(roster.find(student), tuple(accounts)) for student, accounts in claims.items()]
    listed = [
        Claim(person, accounts, not any(opens(person, account.subject) for account in accounts))
        for person, accounts in people
        if person is not None and not person.ids.get(ACCOUNT)
    ]
    return sorted(listed, key=lambda claim: not claim.is_contested)
