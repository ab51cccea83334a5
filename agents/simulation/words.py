"""What the report says, in both languages."""

from records.model import Text

CLOCK = "{hour:02d}:00"
PCT = "{:.1f} %"

SUBTITLE = Text("{day} · 模拟天数 {days} · 随机种子 {seed}", "{day} · days simulated: {days} · seed {seed}")
FATES = Text(
    "来电 {asked} 次：接通 {answered}（{pct}），放弃 {abandoned}，当场告知无法受理 {turned_away}，"
    "等候超时 {unanswered}，到零点仍在等 {waiting}。",
    "{asked} calls: {answered} answered ({pct}), {abandoned} went away, {turned_away} turned away at once, "
    "{unanswered} waited in vain, {waiting} still waiting at midnight.",
)
MET = Text(
    "{within:g} 秒内接通 {share}，目标 {goal:g} %：达到。",
    "{share} within {within:g} s; the goal is {goal:g} %: met.",
)
NOT_MET = Text(
    "{within:g} 秒内接通 {share}，目标 {goal:g} %：未达到。",
    "{share} within {within:g} s; the goal is {goal:g} %: not met.",
)
WAITS = Text(
    "等候：平均 {mean}，一半在 {median}内，95 % 在 {p95}内，最长 {longest}。",
    "Waits: {mean} on average, half within {median}, 95 of 100 within {p95}, {longest} at the longest.",
)
NOBODY = Text("没有人来电。", "Nobody called.")

BY_HOUR = Text(
    "按时段（右半：同样在岗人数并成一池时的 Erlang-C）",
    "By hour; on the right, everybody on duty as one pool (Erlang-C)",
)
HOUR = Text("时段", "Hour")
CALLS = Text("来电", "Calls")
GONE = Text("放弃", "Gone")
MEAN = Text("平均", "Mean")
MEDIAN = Text("中位", "Median")
P95 = Text("95 %", "95 %")
LONGEST = Text("最长", "Longest")
WITHIN = Text("{:g} 秒内", "In {:g} s")
ON_DUTY = Text("在岗", "On duty")
LOAD = Text("负荷", "Load")
NEEDS = Text("需要", "Needs")

PLOT = Text(
    "各时段等候（█ 平均，░ 到 95 %；全宽 {most}）",
    "Waits by hour (█ mean, ░ up to 95 of 100; full width {most})",
)
BY_GROUP = Text("按组（等候：该组接通的来电）", "By group; waits are those of the calls it answered")
GROUP = Text("组", "Group")
AGENTS = Text("人数", "Agents")
HOURS = Text("在岗时/天", "Hours/day")
OCCUPANCY = Text("占用率", "Occupancy")
ANSWERED = Text("接通", "Answered")
MISSED = Text("漏接", "Missed")

OVERLOADED = Text("超载", "over")
SECONDS = Text("{} 秒", "{} s")
MINUTES = Text("{} 分", "{} min")

ONE_DAY = Text("模拟", "Simulating")
TRYING = Text("{agents} 人", "{agents} agents")
TRYING_WINDOWS = Text("各部门专窗", "Dedicated windows")

NEEDED = Text(
    "要做到 {within:g} 秒内接通 {goal:g} %，需要多少人？", "How many agents for {goal:g} % in {within:g} s?"
)
NEEDED_ANSWER = Text("{agents} 人：{split}", "{agents} agents: {split}")
NEEDED_NONE = Text(
    "增加到 {agents} 人仍只有 {share}：差的不是人数。看看漏接、响铃时长和逐级扩大的延迟。",
    "Even {agents} agents reach only {share}: more people are not what is missing. Look at missed rings, the "
    "ring's length and the delays of the rings.",
)
TRIED = Text("试过的人数（每次 {days} 天，同样的来电）", "What was tried (each {days} days, the same calls)")
ERLANG_NEEDS = Text(
    "Erlang-C：最忙的一小时（{hour}）并成一池需要 {agents} 人同时在岗。",
    "Erlang-C: in the busiest hour ({hour}) one pool needs {agents} agents on duty at once.",
)

WINDOWS = Text("每个部门设专窗，代价是多少？", "What does a dedicated window per department cost?")
WINDOWS_HEAD = Text("安排", "Arrangement")
POOL_NOW = Text("现在的安排", "As it is")
POOL_NEEDED = Text("现在的安排，刚好达标", "As it is, enough for the goal")
SAME = Text("同样人数，只做本部门", "The same number, each for one department")
OVERALL = Text("专窗，全部来电合计达标", "Dedicated, the goal over all calls")
EACH = Text("专窗，每个部门都达标", "Dedicated, the goal in every department")
MISSING = Text(
    "来电太少、漏接一两次就达不到的部门：{count} 个；多少人都一样，这里按能做到的最好计。",
    "Departments with so few calls that a missed ring or two keeps them from it, whatever the "
    "number: {count}. They are counted at their best.",
)
UNREACHED = Text("达不到", "out of reach")
UNSERVED = Text(
    "同样 {agents} 人时，{count} 个部门没有人：{names}。",
    "With the same {agents}, {count} departments have nobody: {names}.",
)
COST_LESS = Text(
    "集中在区中心的专窗比现在的安排少用 {less} 人：现在的人分散在各站点，还要守窗口。",
    "Dedicated windows, all at the hall, take {less} agents fewer: today's are spread over the sites, and "
    "serve at counters besides.",
)
COST = Text(
    "专窗比现在的安排多用 {more} 人（{times:.1f} 倍）。",
    "Dedicated windows take {more} agents more ({times:.1f} times as many).",
)
AND_MORE = Text("等", "and more")

TITLE_WAITS = Text("等候时间", "Waits")
TITLE_LEVEL = Text("{within:g} 秒内接通", "Answered within {within:g} s")
TITLE_OCCUPANCY = Text("各组占用率", "Occupancy by group")
SERIES_MEAN = Text("平均", "Mean")
SERIES_P95 = Text("95 % 在此之内", "95 of 100 within")
SERIES_POOL = Text("一池（Erlang-C）", "One pool (Erlang-C)")
SERIES_GOAL = Text("目标", "Goal")


def filled(text: Text, **values: object) -> Text:
    return Text(text.zh.format(**values), text.en.format(**values))


def said(text: Text, lang: str, **values: object) -> str:
    chosen = text.zh if lang == "zh" else text.en
    return chosen.format(**values) if values else chosen
