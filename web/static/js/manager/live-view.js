// How the live page is drawn: what needs a hand, the figures, the lists.

import { pick, t } from "../kit/text.js";
import { html, Icon } from "../kit/ui.js";
import { ListenButton, SupervisionPanel } from "./supervision-view.js";
import { clock } from "./timeline.js";
import { agentsOnDuty, freeAgents, longestSince, serviceLevel, troubles } from "./trouble.js";

/** @typedef {import("../kit/messages.js").ManagerState} ManagerState */
/** @typedef {import("../kit/messages.js").Network} Network */
/** @typedef {import("./supervision.js").Supervising} Supervising */
/** @typedef {{state: ManagerState, now: number, supervising: Supervising, act: (work: Promise<unknown>) => void}} Drawn */
/** @typedef {{name: string, word: string}} Column */

/** Of finished calls, the share that should be answered within the goal. */
const GOAL = 0.8;

/** @param {number} since Unix milliseconds @param {number} now */
const elapsed = (since, now) => clock(Math.max(0, (now - since) / 1000));

/**
 * @param {{state: {value: ManagerState | null}, link: {value: string}, now: {value: number}, revision: {value: number},
 *   trouble: {value: string | null}, refused: {value: {zh: string, en: string} | null}, supervising: Supervising,
 *   act: (work: Promise<unknown>) => void}} props
 */
export function LiveView({ state, link, now, revision, trouble, refused, supervising, act }) {
  const drawn = state.value;
  if (drawn === null) return html`<${LinkLine} link=${link.value} />`;
  const props = { state: drawn, now: now.value, supervising, act };
  const supervised = drawn.supervising;
  return html`
    ${link.value !== "open" && html`<${LinkLine} link=${link.value} />`}
    ${refused.value !== null && html`<p class="problem" role="alert"><${Icon} name="error" />${pick(refused.value)}</p>`}
    ${supervised !== null &&
    html`<${SupervisionPanel} key=${supervised.id} call=${supervised} revision=${revision.value} trouble=${trouble.value} ...${props} />`}
    <${Verdict} ...${props} />
    <${Figures} ...${props} />
    <div class="live-lists">
      <div><${Queue} ...${props} /><${Calls} ...${props} /><${Queues} ...${props} /><${Nodes} ...${props} /><${Today} ...${props} /></div>
      <div><${Agents} ...${props} /><${Stations} ...${props} /></div>
    </div>`;
}

/** @param {{link: string}} props */
function LinkLine({ link }) {
  const key = { connecting: "live.connecting", lost: "live.reconnecting", closed: "live.ended" }[link] ?? "live.connecting";
  return html`<p class="link-line" role="status" data-link=${link}>
    ${t(`manager.${key}`)} ${link === "closed" && html`<a href="/manager/login?next=/manager">${t("manager.live.sign_in")}</a>`}
  </p>`;
}

/** @param {Drawn} props */
function Verdict({ state, now }) {
  const wrong = troubles(state, now);
  if (wrong.length === 0) {
    return html`<p class="verdict calm" role="status"><${Icon} name="success" />${t("manager.live.calm")}</p>`;
  }
  return html`<section class="verdict wrong" aria-live="polite">
    <h2><${Icon} name="warning" />${t("manager.live.trouble", { n: wrong.length })}</h2>
    <ul>
      ${wrong.map(({ key, values }) => html`<li>${t(`manager.${key}`, inWords(values))}</li>`)}
    </ul>
  </section>`;
}

/** @param {Record<string, any>} values @returns {Record<string, string>} */
function inWords(values) {
  const word = (/** @type {any} */ value) => (typeof value === "object" ? pick(value) : String(value));
  const words = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, word(value)]));
  return "seconds" in values ? { ...words, time: clock(values.seconds) } : words;
}

/** @param {Drawn} props */
function Figures({ state, now }) {
  const { waiting, live, stations, nodes, today } = state;
  const since = longestSince(state);
  const level = serviceLevel(today);
  const goal = Math.round(GOAL * 100);
  const finished = today.answered + today.abandoned;
  const online = stations.filter((station) => station.online).length;
  return html`<dl class="figures">
    <${Figure} name=${t("manager.live.waiting")} value=${waiting.length} />
    <${Figure} name=${t("manager.live.longest")} value=${since === null ? "—" : elapsed(since, now)} />
    <${Figure}
      name=${t("manager.live.goal", { s: today.goal_s })}
      value=${level === null ? "—" : `${Math.round(level * 100)}%`}
      note=${level === null ? t("manager.live.goal_none") : t("manager.live.goal_of", { in_goal: today.in_goal, calls: finished, goal })}
      low=${level !== null && level < GOAL}
    />
    <${Figure} name=${t("manager.live.in_call")} value=${live.length} />
    <${Figure} name=${t("manager.live.free")} value=${freeAgents(state)} note=${t("manager.live.free_of", { n: agentsOnDuty(state) })} />
    <${Figure} name=${t("manager.live.occupancy")} value=${state.occupancy === null ? "—" : `${state.occupancy}%`} />
    <${Figure} name=${t("manager.live.abandoned")} value=${finished === 0 ? "—" : `${Math.round((100 * today.abandoned) / finished)}%`} />
    <${Figure} name=${t("manager.live.stations")} value=${online} note=${t("manager.live.stations_of", { n: stations.length })} />
    <${Figure} name=${t("manager.live.nodes")} value=${nodes.length} note=${nodeNote(nodes)} />
  </dl>`;
}

/** @param {ManagerState["nodes"]} nodes */
function nodeNote(nodes) {
  const sum = (/** @type {"rooms" | "capacity"} */ key) => nodes.reduce((total, node) => total + node[key], 0);
  return t("manager.live.node_rooms", { rooms: sum("rooms"), capacity: sum("capacity") });
}

/** @param {{name: string, value: string | number, note?: string, low?: boolean}} props */
function Figure({ name, value, note, low = false }) {
  return html`<div class=${low ? "figure low" : "figure"}>
    <dt>${name}</dt>
    <dd>${low && html`<${Icon} name="warning" />`}<strong>${value}</strong>${note && html`<small>${note}</small>`}</dd>
  </div>`;
}

/**
 * @param {{title: string, empty: string, columns: Column[], rows: any[]}} props rows are <tr>
 */
function List({ title, empty, columns, rows }) {
  const head = html`<thead><tr>
    ${columns.map(({ name, word }) => html`<th scope="col" class=${NUMBERS.has(name) ? "number" : ""}>${word}</th>`)}
  </tr></thead>`;
  return html`<section class="live-list">
    <h2>${title} <span class="count">${rows.length}</span></h2>
    ${rows.length === 0 ? html`<p class="empty">${empty}</p>` : html`<table>${head}<tbody>${rows}</tbody></table>`}
  </section>`;
}

/** @param {string[]} names */
const columns = (names) => names.map((name) => ({ name, word: t(`manager.live.col.${name}`) }));

/** Columns of figures, to the right. */
const NUMBERS = new Set(["queued", "longest", "duty", "level", "left", "occupancy", "waited", "talk", "since", "port", "rooms", "cpu", "lag"]);

/** @param {Drawn} props */
function Queue({ state, now }) {
  const rows = state.waiting.map(
    ({ call, item, station, requested_at, ringing, lane, queue, moved }) => html`<tr key=${call}>
      <td>${pick(item)}<small>${pick(queue)}</small></td>
      <td>${pick(station)}${lane !== "normal" && html`<small class="lane">${t(`manager.lane.${moved ?? lane}`)}</small>`}</td>
      <td class="number">${elapsed(requested_at, now)}</td>
      <td>${ringing === null ? "—" : pick(ringing)}</td>
    </tr>`,
  );
  return html`<${List} title=${t("manager.live.list.waiting")} empty=${t("manager.live.empty.waiting")}
    columns=${columns(["item", "station", "waited", "ringing"])} rows=${rows} />`;
}

/** @param {Drawn} props */
function Calls({ state, now, supervising, act }) {
  const rows = state.live.map(
    ({ call, item, station, agent, phase, answered_at, sharing, networks, people, on_hold }) => html`<tr key=${call}>
      <td><a href=${`/manager/calls/${encodeURIComponent(call)}`}>${pick(item)}</a></td>
      <td>${pick(station)}</td>
      <td>${pick(agent)}${people.map((one) => html`<small key=${one.participant}>${t(`manager.role.${one.role}`)} ${pick(one.name)}${one.ringing && ` · ${t("manager.phase.offered")}`}</small>`)}</td>
      <td>${t(`manager.phase.${phase}`)}${sharing && ` · ${t("manager.live.sharing")}`}${on_hold && html`<small>${t("manager.live.on_hold")}</small>`}</td>
      <td class="number">${answered_at === null ? "—" : elapsed(answered_at, now)}</td>
      <td class="networks">${networks.length === 0 ? "—" : networks.map((network) => html`<${NetworkMark} key=${network.role} ...${network} />`)}</td>
      <td class="acts"><${ListenButton} call=${call} mine=${state.supervising} supervised=${people.some((one) => one.role === "supervisor")} supervising=${supervising} act=${act} /></td>
    </tr>`,
  );
  return html`<${List} title=${t("manager.live.list.calls")} empty=${t("manager.live.empty.calls")}
    columns=${columns(["item", "station", "agent", "phase", "talk", "network", "supervise"])} rows=${rows} />`;
}

const NETWORK_ICONS = { good: "network", weak: "weak-network", bad: "warning" };

/** One side of a call: how good its network is, and the figures of the last seconds. @param {Network} props */
function NetworkMark({ role, judgement, rtt_ms, loss, up_kbps, down_kbps }) {
  const trip = rtt_ms === null ? "—" : `${rtt_ms} ms`;
  const word = `${t(`manager.role.${role}`)} · ${t(`manager.net.is.${judgement}`)}`;
  return html`<span class="network" data-judgement=${judgement}>
    <${Icon} name=${NETWORK_ICONS[judgement]} />${word}
    <small>${t("manager.net.figures", { trip, loss: loss.toFixed(1), up: up_kbps, down: down_kbps })}</small>
  </span>`;
}

/** Every queue against its goal. @param {Drawn} props */
function Queues({ state, now }) {
  const rows = state.queues.map((queue) => {
    const low = queue.in_goal_pct !== null && queue.in_goal_pct < queue.goal_pct;
    return html`<tr key=${queue.queue}>
      <td>${pick(queue.name)}${!queue.open && html`<small>${t("manager.live.queue_closed")}</small>`}</td>
      <td class="number">${queue.waiting}</td>
      <td class="number">${queue.longest_since === null ? "—" : elapsed(queue.longest_since, now)}</td>
      <td class="number">${queue.free} / ${queue.on_duty}</td>
      <td class=${low ? "number low" : "number"}>${queue.in_goal_pct === null ? "—" : `${queue.in_goal_pct}%`}
        <small>${t("manager.live.queue_goal", { pct: queue.goal_pct, s: queue.goal_s })}</small></td>
      <td class="number">${queue.abandoned_pct === null ? "—" : `${queue.abandoned_pct}%`}</td>
    </tr>`;
  });
  return html`<${List} title=${t("manager.live.list.queues")} empty=${t("manager.live.empty.queues")}
    columns=${columns(["queue", "queued", "longest", "duty", "level", "left"])} rows=${rows} />`;
}

const FULL = ["cpu", "lag", "capacity", "draining"];

/** @param {ManagerState["nodes"][number]} node */
function nodeState({ draining, full, rooms, capacity }) {
  if (draining) return "draining";
  if (full !== null) return FULL.includes(full) ? full : "full";
  return rooms < capacity ? "ready" : "capacity";
}

/** @param {Drawn} props */
function Nodes({ state }) {
  const rows = state.nodes.map((node) => {
    const is = nodeState(node);
    return html`<tr key=${node.node}>
      <td><code>${node.node}</code></td>
      <td class="number">${node.port || "—"}</td>
      <td class="number">${node.rooms} / ${node.capacity}</td>
      <td class="number">${node.cpu} %</td>
      <td class="number">${node.lag_ms.toFixed(1)} ms</td>
      <td><span class="dot" data-state=${is === "ready" ? "online" : "paused"}></span>${t(`manager.node.${is}`)}</td>
    </tr>`;
  });
  return html`<${List} title=${t("manager.live.list.nodes")} empty=${t("manager.live.empty.nodes")}
    columns=${columns(["node", "port", "rooms", "cpu", "lag", "phase"])} rows=${rows} />`;
}

/** What an agent is, for people: what it does when it is on duty, else what it declared. @param {ManagerState["agents"][number]} agent */
function agentState({ presence, activity }) {
  if (activity !== "idle" || presence === "available") return activity;
  return presence;
}

const AGENT_ORDER = ["in_call", "reserved", "wrap_up", "idle", "paused", "signed_out"];

/** @param {Drawn} props */
function Agents({ state, now, supervising, act }) {
  const place = (/** @type {any} */ agent) => AGENT_ORDER.indexOf(agentState(agent));
  const rows = [...state.agents]
    .sort((a, b) => place(a) - place(b))
    .map((agent) => {
      const is = agentState(agent);
      const why = agent.presence === "paused" && agent.pause_reason !== null ? ` · ${t(`manager.pause.${agent.pause_reason}`)}` : "";
      return html`<tr key=${agent.agent}>
        <td>${pick(agent.name)}${agent.role !== "agent" && html`<small>${t(`manager.role.${agent.role}`)}</small>`}</td>
        <td><span class="dot" data-state=${is}></span>${t(`manager.agent.${is}`)}${why}
          ${agent.pause_reason === "connection_lost" && html`<button class="link" onClick=${() => act(supervising.signOut(agent.agent))}>${t("manager.live.sign_out")}</button>`}</td>
        <td class="number">${elapsed(agent.since, now)}</td>
        <td class="number">${agent.occupancy === null ? "—" : `${agent.occupancy}%`}</td>
      </tr>`;
    });
  return html`<${List} title=${t("manager.live.list.agents")} empty=${t("manager.live.empty.agents")}
    columns=${columns(["agent", "phase", "since", "occupancy"])} rows=${rows} />`;
}

/** @param {Drawn} props */
function Stations({ state }) {
  const rows = [...state.stations]
    .sort((a, b) => Number(a.online) - Number(b.online))
    .map(
      ({ station, name, online }) => html`<tr key=${station}>
        <td>${pick(name)}</td>
        <td><span class="dot" data-state=${online ? "online" : "offline"}></span>${t(online ? "manager.live.online" : "manager.live.offline")}</td>
      </tr>`,
    );
  return html`<${List} title=${t("manager.live.list.stations")} empty=${t("manager.live.empty.stations")}
    columns=${columns(["station", "phase"])} rows=${rows} />`;
}

/** @param {Drawn} props */
function Today({ state }) {
  const { calls, answered, abandoned, mean_wait_s, mean_talk_s, mean_stars } = state.today;
  const time = (/** @type {number | null} */ seconds) => (seconds === null ? "—" : clock(seconds));
  const figures = {
    calls,
    answered,
    abandoned,
    wait: time(mean_wait_s),
    talk: time(mean_talk_s),
    stars: mean_stars === null ? "—" : mean_stars.toFixed(1),
  };
  return html`<section class="live-list">
    <h2>${t("manager.live.today")}</h2>
    <dl class="today">
      ${Object.entries(figures).map(([key, value]) => html`<div><dt>${t(`manager.live.today_${key}`)}</dt><dd>${value}</dd></div>`)}
    </dl>
  </section>`;
}
