"""The manager's list, one call's page, the purpose form and the audit trail, through HTTP."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from records.audit import AuditFilter, AuditLine
from records.calls import CallDetail
from records.model import AccountId, CallId, EndReason, ItemId, JournalEntry, JournalKind, Outcome, StationId
from tests.web.back_office import NOW, Office, content, office, sentences
from tests.web.sample_call import AGENT, CALL, START, entries, finished, part, summary
from web.office.call_view import Names, call_view
from web.office.words import ACTIONS, PURPOSES

Data = dict[str, str | int | float | bool | None]
DAY = 86_400.0
MIDNIGHT = 1_794_931_200.0  # 2026-11-18 00:00:00 in Shanghai


@pytest.fixture
async def hall(tmp_path: Path) -> AsyncIterator[Office]:
    async with office(tmp_path) as made:
        yield made


async def keep(hall: Office, id: str, requested_at: float, **rest: Any) -> None:
    await hall.store.ledger.write([], summary(id, requested_at, **rest))


async def page(http: ClientSession, path: str, status: int = 200) -> str:
    async with http.get(path) as answer:
        assert answer.status == status, path
        assert answer.headers["Cache-Control"] == "no-store"
        return await answer.text()


def listed(text: str) -> list[str]:
    return re.findall(r'<td><a href="/manager/calls/([^"]+)">', text)


@pytest.fixture
async def four_calls(hall: Office) -> Office:
    """a: yesterday's last second; b: midnight; c: answered and rated; d: given up at another station."""
    await keep(hall, "a", MIDNIGHT - 1)
    await keep(hall, "b", MIDNIGHT)
    await keep(
        hall,
        "c",
        MIDNIGHT + 3600,
        answered_at=MIDNIGHT + 3609,
        ended_at=MIDNIGHT + 3900,
        agent=AccountId("lihua"),
        outcome=Outcome.GUIDED,
        outcome_note="下周再来",
        end_reason=EndReason.COMPLETED_BY_RESIDENT,
        stars=2,
    )
    await keep(
        hall,
        "d",
        MIDNIGHT + DAY,
        ended_at=MIDNIGHT + DAY + 75,
        station=StationId("s2"),
        item=ItemId("social-proof"),
        end_reason=EndReason.CANCELLED,
    )
    return hall


FILTERS = {
    "": ["d", "c", "b", "a"],
    "from=2026-11-18": ["d", "c", "b"],
    "to=2026-11-17": ["a"],
    "from=2026-11-18&to=2026-11-18": ["c", "b"],
    "station=s2": ["d"],
    "item=social-proof": ["d"],
    "agent=lihua": ["c"],
    "outcome=guided": ["c"],
    "end_reason=cancelled": ["d"],
    "stars=2": ["c"],
    "stars=low": ["c"],
    "stars=5": [],
    "text=%E4%B8%8B%E5%91%A8": ["c"],
    "text=b": ["b"],
    "station=s1&from=2026-11-18&stars=low": ["c"],
    "station=nowhere": [],
    "page=99": ["d", "c", "b", "a"],
}


@pytest.mark.parametrize("query", FILTERS)
async def test_filters_are_in_the_address(four_calls: Office, query: str) -> None:
    async with four_calls.http() as http:
        assert listed(await page(http, f"/manager/calls?{query}")) == FILTERS[query]


@pytest.mark.parametrize(
    "query",
    [
        "from=yesterday",
        "to=2026-02-30",
        "outcome=fine",
        "end_reason=%00",
        "stars=6",
        "stars=%EF%BC%95",
        "to=9999-12-31",
        "page=-1",
        "page=1e9",
        "page=99999999999999999999",
        "text=" + "x" * 5000,
    ],
)
async def test_a_filter_that_makes_no_sense_breaks_nothing(four_calls: Office, query: str) -> None:
    async with four_calls.http() as http:
        text = await page(http, f"/manager/calls?{query}")
    if not query.startswith(("page", "text")):
        assert "有筛选条件无法识别" in text
        assert len(listed(text)) == 4


async def test_the_form_keeps_what_was_chosen(four_calls: Office) -> None:
    async with four_calls.http() as http:
        text = await page(http, "/manager/calls?station=s2&from=2026-11-18&stars=low&text=%22%3E%3Cb%3E")
    assert '<option value="s2" selected>' in text
    assert 'name="from" value="2026-11-18"' in text
    assert '<option value="low" selected>' in text
    assert 'value="&#34;&gt;&lt;b&gt;"' in text


async def test_rows_say_when_how_long_and_how_it_went(four_calls: Office) -> None:
    async with four_calls.http() as http:
        text = await page(http, "/manager/calls?agent=lihua")
    row = html.unescape(re.sub(r"\s*<[^>]*>\s*", "|", text[text.index("<tbody>") : text.index("</tbody>")]))
    cells = [cell for cell in row.split("|") if cell]
    assert cells == [
        "2026-11-18 01:00",
        "道路普通货物运输车辆年度审验",
        "望湖 1 号终端",
        "李华",
        "0:09",
        "4:51",
        "已告知办法",
        "居民挂断",
        "2 星",
    ]


async def test_paging_with_a_total(hall: Office) -> None:
    for number in range(60):
        await keep(hall, f"n{number:02}", MIDNIGHT + number, station=StationId("s1" if number else "s2"))
    async with hall.http() as http:
        first = await page(http, "/manager/calls?station=s1")
        assert "符合条件的有 59 个通话" in first
        assert "第 1 页，共 3 页" in first
        assert 'rel="prev"' not in first
        following = html.unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])  # type: ignore[index]
        assert following == "/manager/calls?station=s1&page=2"
        second = await page(http, following)
        assert listed(first)[-1] == "n35"
        assert listed(second) == [f"n{number:02}" for number in range(34, 9, -1)]
        last = await page(http, "/manager/calls?station=s1&page=3")
        assert listed(last)[-1] == "n01"
        assert 'rel="next"' not in last


async def test_an_empty_hall_says_so(hall: Office) -> None:
    async with hall.http() as http:
        assert "还没有通话" not in await page(http, "/manager/calls?station=s1")
        text = await page(http, "/manager/calls")
        assert "没有通话" in text
        assert "<table" not in text


async def test_an_unknown_call(hall: Office) -> None:
    async with hall.http() as http:
        assert "没有这次通话" in await page(http, "/manager/calls/none", 404)
        async with http.post("/manager/calls/none/open", data={"purpose": "quality"}) as answer:
            assert answer.status == 404
    assert await hall.store.audit.page(AuditFilter()) == ()


# --- one call ---


async def with_parts(hall: Office, note: str = "营运证在有效期内") -> None:
    await hall.store.ledger.write(entries(20, note), finished(20))
    for opened in (part("p1", 0.0), part("p2", 0.5, AGENT)):
        await hall.store.ledger.part_opened(opened)


async def test_the_journal_reads_as_sentences(hall: Office) -> None:
    await with_parts(hall)
    async with hall.http() as http:
        chinese = await page(http, f"/manager/calls/{CALL}")
        english = await page(http, f"/manager/calls/{CALL}?lang=en")
    for sentence in (
        "居民在望湖 1 号终端呼叫，事项：道路普通货物运输车辆年度审验",
        "陈洁没有接受",
        "李华接听",
        "工作人员开始共享屏幕",
        "李华记录：营运证在有效期内",
        "通话结束：人员挂断",
        "李华填写结果：办成了：已签字",
        "居民评价：5 · 非常满意",
    ):
        assert f"<span>{sentence}</span>" in chinese
    for sentence in ("Chen Jie declined", "Screen sharing began (Agent)", "The call ended: Agent hung up"):
        assert f"<span>{sentence}</span>" in english


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_kind_of_entry_has_a_sentence(hall: Office, lang: str) -> None:
    nothing: Data = {}
    odd: Data = {
        "agent": "gone",
        "reason": "new_reason",
        "stars": 9,
        "reasons": "attitude,odd",
        "participant": "x",
    }
    journal = [
        JournalEntry(CALL, START + number, kind, f"{kind}-{len(data)}", data)
        for number, kind in enumerate(JournalKind)
        for data in (nothing, odd)
    ]
    await hall.store.ledger.write(journal, summary())
    async with hall.http(lang=lang) as http:
        text = await page(http, f"/manager/calls/{CALL}")
    lines = re.findall(r"<li data-kind=\"(\w+)\">.*?<span>(.*?)</span>", text, re.DOTALL)
    assert {kind for kind, _ in lines} == {kind.value for kind in JournalKind}
    assert all(sentence.strip() and "{" not in sentence for _, sentence in lines)


async def test_what_a_note_holds_is_text(hall: Office) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    await with_parts(hall, evil)
    await hall.store.ledger.write([], summary(outcome=Outcome.OTHER, outcome_note=evil))
    async with hall.http() as http:
        before = await page(http, f"/manager/calls/{CALL}")
        async with http.post(
            f"/manager/calls/{CALL}/open", data={"purpose": "other", "details": evil}
        ) as answer:
            after = await answer.text()
        trail = await page(http, "/manager/audit?object=" + "%3Cscript%3Ealert(1)%3C/script%3E")
        whole_trail = await page(http, "/manager/audit")
    for text in (before, after, trail, whole_trail):
        assert "<script>alert" not in text
        assert "<img src=x" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert "&lt;script&gt;alert(1)" in before
    assert "data-timeline=" in after


async def test_the_page_asks_for_a_purpose_and_then_shows_the_player(hall: Office) -> None:
    await with_parts(hall)
    path = f"/manager/calls/{CALL}"
    async with hall.http() as http:
        before = await page(http, path)
        assert "记录目的并打开录像" in before
        assert "<video" not in before
        assert "/manager/recordings/" not in before
        async with http.post(f"{path}/open", data={"purpose": "complaint", "details": " 工单  7 "}) as answer:
            assert answer.url.path == path
            after = await answer.text()
        assert after.count("<video") == 2
        assert "处理投诉或办不成事：工单 7" in after
        assert "可查看到 19:36:40" in after
    (entry,) = await hall.store.audit.page(AuditFilter())
    assert (entry.actor, entry.action, entry.object) == ("wangmin", "recording.open", f"call:{CALL}")
    assert (entry.purpose, entry.address, entry.at) == ("complaint: 工单 7", "127.0.0.1", NOW)


REFUSED = [
    ({}, "请选择查看目的"),
    ({"purpose": "curious"}, "请选择查看目的"),
    ({"purpose": "other"}, "请写明查看目的"),
    ({"purpose": "other", "details": "   "}, "请写明查看目的"),
    ({"purpose": "quality", "details": "长" * 151}, "不能超过 150 个字"),
]


@pytest.mark.parametrize(("form", "sentence"), REFUSED)
async def test_without_a_purpose_nothing_is_granted(
    hall: Office, form: dict[str, str], sentence: str
) -> None:
    await with_parts(hall)
    async with hall.http() as http:
        async with http.post(f"/manager/calls/{CALL}/open", data=form) as answer:
            assert answer.status == 422
            text = await answer.text()
        assert sentence in text
        assert form.get("details", "").strip() in text
        assert f"/manager/calls/{CALL}?lang=en" in text
        async with http.get("/manager/recordings/p1") as answer:
            assert answer.status == 403
    assert await hall.store.audit.page(AuditFilter()) == ()
    assert await hall.store.grants.grant_for(AccountId("wangmin"), CallId(CALL), NOW) is None


@pytest.mark.parametrize("purpose", PURPOSES)
async def test_the_longest_purpose_fits_the_trail(hall: Office, purpose: str) -> None:
    await with_parts(hall)
    async with hall.http() as http:
        form = {"purpose": purpose, "details": "长" * 150}
        async with http.post(f"/manager/calls/{CALL}/open", data=form, allow_redirects=False) as answer:
            assert answer.status == 303


def test_the_clock_of_the_player() -> None:
    """0 is the first recorded moment; what was never sealed ends where the next of its kind begins."""
    ended = summary(ended_at=START + 60)
    parts = (
        part("p1", 5.0, generation=1),
        part("p2", 20.0, generation=2),
        part("p3", 8.0, AGENT, sealed=True, duration=30.0),
    )
    view = call_view(CallDetail(ended, tuple(entries(60)), parts, None), Names(content(), (), ()), NOW)
    assert [(one.offset, one.end) for one in view.parts] == [(0, 15), (15, 55), (3, 33)]
    assert view.length == 55
    assert [lane.lane for lane in view.lanes] == ["resident-camera", f"{AGENT}-camera"]
    assert view.lines[0].offset == -17
    running = call_view(CallDetail(summary(), (), parts[:1], None), Names(content(), (), ()), START + 100)
    assert running.length == 95


# --- the audit trail ---


async def test_the_trail_is_listed_and_filtered(hall: Office) -> None:
    await with_parts(hall)
    for who in ("wangmin", "zhaolei"):
        async with hall.http(who) as http:
            await http.post(f"/manager/calls/{CALL}/open", data={"purpose": "fault"})
    async with hall.http() as http:
        rows = (await page(http, "/manager/audit")).count("打开录像</td>")
        mine = (await page(http, "/manager/audit?actor=zhaolei&action=recording.open")).count("打开录像</td>")
        of_call = (await page(http, f"/manager/audit?object=call:{CALL}&from=2026-11-18")).count(
            "打开录像</td>"
        )
        other_day = await page(http, "/manager/audit?to=2026-11-17")
    assert (rows, mine, of_call) == (2, 1, 2)
    assert "没有符合条件的记录" in other_day


async def test_older_entries_are_a_page_away(hall: Office) -> None:
    await with_parts(hall)
    async with hall.http() as http:
        for _ in range(53):
            await http.post(f"/manager/calls/{CALL}/open", data={"purpose": "fault"}, allow_redirects=False)
        first = await page(http, "/manager/audit?actor=wangmin")
        older = html.unescape(re.search(r'rel="next" href="([^"]+)"', first)[1])  # type: ignore[index]
        second = await page(http, older)
    assert older == "/manager/audit?actor=wangmin&before=4"
    numbers = re.findall(r'<td class="number">(\d+)</td>', first + second)
    assert numbers == [str(number) for number in range(53, 0, -1)]


async def test_the_trail_says_which_sign_in_page_and_which_filter_was_left_out(hall: Office) -> None:
    for what in ("sign-in:agent", "sign-in:of another version"):
        await hall.store.audit.write(AuditLine(NOW, "sign_in_failed", what, actor_name="x"))
    async with hall.http() as http:
        said = re.sub(r"\s+", " ", await page(http, "/manager/audit?from=yesterday"))
    assert "<td>坐席登录页</td>" in said
    assert "<td>sign-in:of another version</td>" in said
    assert "有筛选条件无法识别，已忽略：从</p>" in said


def test_every_action_and_purpose_has_words() -> None:
    known = sentences("zh")["manager"]
    assert {f"action.{action}" for action in ACTIONS} <= known.keys()
    assert {f"purpose.{purpose}" for purpose in PURPOSES} <= known.keys()
