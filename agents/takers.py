"""Whether one agent may take one demand, whoever else is there. Pure.

Two halves: whom a ring of a demand looks for (``Sought``: role, skills and levels, department, place, and
the empowerment matrix, alike for many demands), and what concerns this demand alone (who is wanted, who is
passed over). Neither says whether the agent is free.
"""

from collections.abc import Iterator
from typing import NamedTuple

from msgspec.structs import replace

from agents.agent import Agent, Party, Presence, Profile, Waiting
from agents.hours import is_open
from agents.lanes import Who, who
from agents.plan import Plan, Ring, Scope
from records.model import AccountId, ParticipantRole, SiteId

ANYWHERE = (Ring(Scope.ALL),)


class Sought(NamedTuple):
    """Whom a ring looks for. ``sites`` are those that are empowered, ``place`` narrows them to one of them
    or, with ``around``, to a town and its villages."""

    who: Who
    sites: frozenset[SiteId]
    place: SiteId | None = None
    around: bool = False


def rings_of(waiting: Waiting, party: Party, plan: Plan) -> tuple[Ring, ...]:
    """The queue's rings for an agent. An expert and an interpreter are asked wherever they are: there are few
    of them, and a resident's own village seldom has one."""
    return plan.queue(waiting.queue).rings if party.role is ParticipantRole.AGENT else ANYWHERE


def parties(waiting: Waiting) -> tuple[Party, ...]:
    return (waiting.party,) if waiting.second is None else (waiting.party, waiting.second)


def widest(waiting: Waiting, party: Party, plan: Plan) -> Iterator[Sought]:
    """Whoever is in any of its rings is in one of these, wherever the demand comes from."""
    scopes = {Scope.ALL, *(ring.scope for ring in rings_of(waiting, party, plan))} & {Scope.ALL, Scope.POOL}
    for scope in sorted(scopes):
        looked_for = sought(waiting, party, scope, plan)
        if looked_for is not None:
            yield looked_for


def sought(waiting: Waiting, party: Party, scope: Scope, plan: Plan) -> Sought | None:
    """Whom a ring of that scope looks for; None when there can be nobody, as for an unknown item."""
    rule = plan.items.get(waiting.item)
    if rule is None:
        return None
    wanted = who(party)
    match scope:
        case Scope.ALL:
            return Sought(wanted, rule.sites)
        case Scope.OWN_SITE:
            return Sought(wanted, rule.sites, waiting.site)
        case Scope.OWN_TOWN:
            town = plan.town(waiting.site)
            return None if town is None else Sought(wanted, rule.sites, town, around=True)
        case Scope.DISTRICT:
            site = plan.sites.get(waiting.site)
            return None if site is None else Sought(wanted, rule.sites, site.district)
        case Scope.DEPARTMENT:
            return Sought(wanted._replace(department=rule.department), rule.sites)
        case Scope.POOL:
            pool = plan.queue(waiting.queue).pool
            if pool is None:
                return None
            # The pool stands in for what the item needs, not for what the resident needs besides, such as
            # a dialect.
            rest = tuple((skill, level) for skill, level in wanted.needs if skill not in rule.needs)
            needs = tuple(sorted({**dict(rest), pool: max(1, dict(rest).get(pool, 1))}.items()))
            return Sought(wanted._replace(needs=needs), rule.sites)


def fits(profile: Profile, looked_for: Sought, plan: Plan) -> bool:
    who_, sites, place, around = looked_for
    if profile.site not in sites:
        return False
    if place is not None and place != (plan.town(profile.site) if around else profile.site):
        return False
    levels = profile.skills
    for skill, level in who_.needs:
        if levels.get(skill, 0) < level:
            return False
    if who_.role is not ParticipantRole.INTERPRETER and who_.role is not profile.role:
        return False  # an interpreter is anybody who has the language
    return who_.department is None or who_.department == profile.department


def may_take(agent: Agent, waiting: Waiting, party: Party, plan: Plan, now: float) -> bool:
    """Whether the agent may be asked for this party of the demand at ``now``, once its ring is open."""
    return (
        is_open(agent.profile.hours, now, plan.zone)
        and not is_passed_over(agent.id, waiting, now)
        and asks_alone(waiting, party, now) in (None, agent.id)
        and is_fit(agent, waiting, party, plan)
    )


def is_fit(agent: Agent, waiting: Waiting, party: Party, plan: Plan) -> bool:
    """Whether the agent is what one of the rings looks for, at whatever hour. Who is wanted by name is asked
    wherever it is: rings are for those whom nobody named."""
    scopes = [ring.scope for ring in rings_of(waiting, party, plan)]
    if party is not waiting.second and waiting.wanted == agent.id:
        scopes.append(Scope.ALL)
    found = (sought(waiting, party, scope, plan) for scope in scopes)
    return any(it is not None and fits(agent.profile, it, plan) for it in found)


def is_passed_over(agent: AccountId, waiting: Waiting, now: float) -> bool:
    return waiting.passed_over.get(agent, now) > now


def asks_alone(waiting: Waiting, party: Party, now: float) -> AccountId | None:
    """The one person that may be asked for the party at ``now``; None when it need not be a certain one."""
    if party is waiting.second or waiting.wanted is None:
        return None
    over = waiting.wanted_until is not None and waiting.wanted_until <= now
    return None if over else waiting.wanted


def is_on_duty(agent: Agent, plan: Plan, now: float) -> bool:
    """Free or busy, and in its hours. A pause is not duty."""
    return agent.presence is Presence.AVAILABLE and is_open(agent.profile.hours, now, plan.zone)


def without_absent(waiting: Waiting, wanted: Agent | None, plan: Plan, now: float) -> Waiting:
    """The demand as it is to be matched: when the one who is wanted for a while is not there to be asked
    (not on duty, or passed over), it is everybody's at once. ``wanted``: that agent, if it is known."""
    if waiting.wanted is None or waiting.wanted_until is None or waiting.wanted_until <= now:
        return waiting
    there = (
        wanted is not None
        and is_on_duty(wanted, plan, now)
        and may_take(wanted, waiting, waiting.party, plan, now)
    )
    return waiting if there else replace(waiting, wanted_until=now)
