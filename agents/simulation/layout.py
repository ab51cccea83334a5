"""The hall's plan as a scenario describes it: queues, items and who may serve them, sites. Pure."""

from agents.plan import ItemRule, Plan, SiteRule
from agents.simulation.demand import items_of, sites_of
from agents.simulation.scenario import Department, Scenario
from records.model import ItemId, SiteId, SkillId, Tier


def plan_of(scenario: Scenario) -> Plan:
    """The skill of an item is its department's id."""
    district = scenario.sites.district
    sites = {district: SiteRule(None, district)}
    for town in scenario.sites.towns:
        sites[town.id] = SiteRule(town.id, district)
        sites |= {SiteId(f"{town.id}-{n}"): SiteRule(town.id, district) for n in range(1, town.villages + 1)}
    items: dict[ItemId, ItemRule] = {}
    for department in scenario.departments:
        items |= _items(scenario, department)
    return Plan(scenario.timezone, {queue.id: queue for queue in scenario.queues}, items, sites)


def _items(scenario: Scenario, department: Department) -> dict[ItemId, ItemRule]:
    needs = {SkillId(department.id): department.level}
    queue = scenario.queues[0].id if department.queue is None else department.queue
    found: dict[frozenset[Tier], frozenset[SiteId]] = {}
    rules = {}
    for at, item in enumerate(items_of(department)):
        tiers = frozenset(tier for tier in Tier if at < department.empowers.get(tier, department.items))
        if tiers not in found:
            found[tiers] = frozenset(site for tier in tiers for site in sites_of(scenario, tier))
        rules[item] = ItemRule(queue, needs, department.id, found[tiers])
    return rules
