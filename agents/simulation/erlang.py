"""The M/M/n queue: what one pool of equal agents would do for the same calls. Pure.

A. K. Erlang, "Løsning af nogle Problemer fra Sandsynlighedsregningen af Betydning for de automatiske
Telefoncentraler", Elektroteknikeren 13 (1917); here after N. Gans, G. Koole and A. Mandelbaum, "Telephone
Call Centers: Tutorial, Review, and Research Prospects", Manufacturing & Service Operations Management 5 (2),
2003, section 3. ``load`` is the offered load in erlangs: calls per second times seconds per call.
"""

from math import exp, inf


def blocked(load: float, agents: int) -> float:
    """Erlang B: the chance of finding every agent busy when nobody may wait.

    By the recursion B(n) = a B(n-1) / (n + a B(n-1)), whose terms stay between 0 and 1.
    """
    share = 1.0
    for n in range(1, agents + 1):
        share = load * share / (n + load * share)
    return share


def delayed(load: float, agents: int) -> float:
    """Erlang C: the chance of having to wait; 1 when the load is more than the agents can bear."""
    if load <= 0:
        return 0.0
    if agents <= load:
        return 1.0
    lost = blocked(load, agents)
    return lost / (1 - load / agents * (1 - lost))


def mean_wait(load: float, agents: int, service_s: float) -> float:
    """Seconds, over all calls; infinite when the load is more than the agents can bear."""
    if load <= 0:
        return 0.0
    if agents <= load:
        return inf
    return delayed(load, agents) * service_s / (agents - load)


def answered_within(load: float, agents: int, service_s: float, within_s: float) -> float:
    """The share of calls that wait at most ``within_s``."""
    if load <= 0:
        return 1.0
    if agents <= load or within_s < 0:
        return 0.0
    return 1 - delayed(load, agents) * exp(-(agents - load) * within_s / service_s)


def agents_for(load: float, service_s: float, within_s: float, share: float) -> int:
    """The fewest agents with whom ``share`` of the calls waits at most ``within_s`` (not negative)."""
    agents = int(load) + 1
    while answered_within(load, agents, service_s, within_s) < share:
        agents += 1
    return agents if load > 0 else 0
