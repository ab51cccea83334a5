"""Who is told what of the networks in a call: the agent of both, the station of its own, managers of all."""

from media.protocol import NodeInfo
from records.model import ParticipantRole
from signaling import messages as m
from signaling.bus import quality_topic
from signaling.quality import SHOWN_S, Judgement
from signaling.snapshot import RESIDENT
from tests.signaling.qualities import AGENT, Stream, said
from tests.signaling.world import NODE_A, NOW, SECOND, Peer, Talk, World

GOOD, WEAK, BAD = Judgement.GOOD, Judgement.WEAK, Judgement.BAD


class Media:
    """What the node says of a call every two seconds; the sockets of the call look after each."""

    def __init__(self, world: World, talk: Talk) -> None:
        self._world, self._talk = world, talk
        self._streams = {who: Stream(who) for who in (RESIDENT, AGENT)}

    async def says(self, times: int = 1, *, resident: int = 0, agent: int = 0) -> None:
        """``resident`` and ``agent``: packets lost on the way of each, of 300."""
        for _ in range(times):
            self._world.clock.now += 2
            now = self._world.clock.now
            legs = self._streams[RESIDENT].next(lost=resident), self._streams[AGENT].next(lost=agent)
            self._world.hall.quality.hear(said(self._talk.call, *legs, at=now), now)
            for peer in (self._talk.station, self._talk.agent):
                await peer.sees()


def signs(agent: Peer) -> dict[ParticipantRole, Judgement]:
    return {network.role: network.judgement for network in agent.all(m.CallQuality)[-1].networks}


async def test_the_agent_is_told_whose_network_is_weak(world: World) -> None:
    talk = await world.talking()
    media = Media(world, talk)
    await media.says(2)
    assert signs(talk.agent) == {ParticipantRole.RESIDENT: GOOD, ParticipantRole.AGENT: GOOD}
    await media.says(2, resident=20)
    assert signs(talk.agent) == {ParticipantRole.RESIDENT: WEAK, ParticipantRole.AGENT: GOOD}
    await media.says(2, resident=20, agent=60)
    assert signs(talk.agent) == {ParticipantRole.RESIDENT: WEAK, ParticipantRole.AGENT: BAD}
    await media.says(5)
    assert signs(talk.agent) == {ParticipantRole.RESIDENT: GOOD, ParticipantRole.AGENT: GOOD}


async def test_the_figures_are_for_people(world: World) -> None:
    talk = await world.talking()
    await Media(world, talk).says(2, resident=20)
    resident = talk.agent.all(m.CallQuality)[-1].networks[0]
    assert resident == m.Network(ParticipantRole.RESIDENT, GOOD, 40, 6.7, 0.0, 1100, 1100)


async def test_the_station_is_told_of_its_own_network_only(world: World) -> None:
    talk = await world.talking()
    media = Media(world, talk)
    await media.says(4, agent=60)
    assert [said.judgement for said in talk.station.all(m.OwnQuality)] == [GOOD]
    await media.says(3, resident=60)
    assert [said.judgement for said in talk.station.all(m.OwnQuality)] == [GOOD, BAD]
    assert talk.station.all(m.CallQuality) == []


async def test_when_nothing_more_is_heard_nothing_is_shown_and_that_is_said_once(world: World) -> None:
    talk = await world.talking()
    await Media(world, talk).says(2)
    world.clock.now += SHOWN_S + 1
    for _ in range(3):
        await talk.agent.sees()
        await talk.station.sees()
    assert [bool(said.networks) for said in talk.agent.all(m.CallQuality)] == [True, False]
    assert [said.judgement for said in talk.station.all(m.OwnQuality)] == [GOOD, None]


async def test_of_a_call_without_quality_nothing_is_said(world: World) -> None:
    talk = await world.talking()
    await talk.agent.sees()
    assert talk.agent.all(m.CallQuality) == talk.station.all(m.OwnQuality) == []


async def test_nothing_is_said_of_a_call_that_is_over(world: World) -> None:
    talk = await world.talking()
    media = Media(world, talk)
    await media.says(2)
    assert await talk.agent.asks("hang_up", call=talk.call) is None
    await media.says()
    assert talk.agent.all(m.CallQuality)[-1].networks == ()
    assert talk.station.all(m.OwnQuality)[-1].judgement is None


async def test_word_of_it_wakes_the_sockets_of_that_call_alone(world: World) -> None:
    talk = await world.talking()
    other = await world.station(SECOND).arrives()
    manager = await world.manager().arrives()
    topic = quality_topic(talk.call)
    assert [peer.desk.concerns(topic) for peer in (talk.station, talk.agent, other, manager)] == [
        True,
        True,
        False,
        False,
    ]


async def test_the_manager_sees_every_call_and_node(world: World) -> None:
    talk = await world.talking()
    manager = await world.manager().arrives()
    world.racks.nodes = [
        NodeInfo(NODE_A, 1, ("127.0.0.1",), 3, 40, False, NOW, 40001, 0.123, 0.44, None),
        NodeInfo(NODE_A, 1, ("127.0.0.1",), 40, 40, True, NOW, 40000, 0.97, 12.0, "its loop is late"),
    ]
    await Media(world, talk).says(4, agent=20)
    shown = await manager.sees()
    assert [(n.role, n.judgement) for n in shown.live[0].networks] == [
        (ParticipantRole.RESIDENT, GOOD),
        (ParticipantRole.AGENT, WEAK),
    ]
    assert shown.nodes == (
        m.NodeRow(NODE_A, 40000, 40, 40, 97, 12.0, True, "its loop is late"),
        m.NodeRow(NODE_A, 40001, 3, 40, 12, 0.4, False, None),
    )
    world.clock.now += SHOWN_S + 1
    assert (await manager.sees()).live[0].networks == ()
