// What needs a hand, out of one ManagerState. Pure: no DOM, no clock.

/** @typedef {import("../kit/messages.js").ManagerState} ManagerState */
/** @typedef {{key: string, values: Record<string, any>}} Trouble a sentence of text/manager.*.json and its words */

/** A wait longer than this many times the goal, and never less than a minute, is somebody's business. */
const LONG_WAIT_GOALS = 3;
const LONG_WAIT_LEAST_S = 60;
/** More stations than these are counted, not named: the list below has them first. */
const STATIONS_BY_NAME = 4;

/** @param {ManagerState} state */
export function freeAgents(state) {
  return state.agents.filter(({ presence, activity }) => presence === "available" && activity === "idle").length;
}

/** @param {ManagerState} state */
export function agentsOnDuty(state) {
  return state.agents.filter(({ presence }) => presence !== "signed_out").length;
}

/** Unix milliseconds since when the one waits who has waited longest, or null. @param {ManagerState} state */
export function longestSince(state) {
  return state.waiting.reduce(
    (first, { requested_at }) => (first === null ? requested_at : Math.min(first, requested_at)),
    /** @type {number | null} */ (null),
  );
}

/** Share of finished calls that were answered within the goal, 0 to 1; null before the first.
 * @param {ManagerState["today"]} today */
export function serviceLevel(today) {
  const finished = today.answered + today.abandoned;
  return finished === 0 ? null : today.in_goal / finished;
}

/** @param {ManagerState} state @param {number} now Unix milliseconds @returns {Trouble[]} the gravest first */
export function troubles(state, now) {
  return [...nodeTroubles(state), ...queueTroubles(state, now), ...stationTroubles(state), ...agentTroubles(state)];
}

/** @param {ManagerState} state @returns {Trouble[]} */
function nodeTroubles({ nodes }) {
  if (nodes.length === 0) return [{ key: "live.wrong.no_node", values: {} }];
  return nodes
    .filter(({ rooms, capacity }) => rooms >= capacity)
    .map(({ node }) => ({ key: "live.wrong.full_node", values: { node } }));
}

/** @param {ManagerState} state @param {number} now @returns {Trouble[]} */
function queueTroubles(state, now) {
  const limit = 1000 * Math.max(LONG_WAIT_LEAST_S, LONG_WAIT_GOALS * state.today.goal_s);
  const long = state.waiting
    .filter(({ requested_at }) => now - requested_at > limit)
    .map(({ station, item, requested_at }) => ({
      key: "live.wrong.waiting",
      values: { station, item, seconds: (now - requested_at) / 1000 },
    }));
  const nobody = state.waiting.some(({ ringing }) => ringing === null) && freeAgents(state) === 0;
  return nobody ? [{ key: "live.wrong.nobody", values: {} }, ...long] : long;
}

/** @param {ManagerState} state @returns {Trouble[]} */
function stationTroubles({ stations }) {
  const offline = stations.filter(({ online }) => !online);
  if (offline.length > STATIONS_BY_NAME) return [{ key: "live.wrong.stations", values: { n: offline.length } }];
  return offline.map(({ name }) => ({ key: "live.wrong.station", values: { station: name } }));
}

/** @param {ManagerState} state @returns {Trouble[]} */
function agentTroubles({ agents }) {
  const sentences = { missed_calls: "live.wrong.missed", connection_lost: "live.wrong.lost" };
  return agents.flatMap(({ name, presence, pause_reason }) => {
    const key = presence === "paused" ? sentences[/** @type {keyof typeof sentences} */ (pause_reason)] : undefined;
    return key ? [{ key, values: { name } }] : [];
  });
}
