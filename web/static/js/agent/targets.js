/** Whom an agent in a call can ask for, as one list: what each is called, whether it is free, what can be done. Pure. */

/** @typedef {import("../kit/messages.js").Colleagues} Colleagues */
/** @typedef {import("../kit/messages.js").Colleague} Colleague */
/** @typedef {import("../kit/messages.js").Joining} Joining */
/** @typedef {import("../kit/messages.js").Text} Text */
/** @typedef {"queue" | "agent" | "department" | "skill"} Kind as the request names them */
/**
 * @typedef {object} Standing how it is just now, by icon and word
 * @property {string} icon
 * @property {string} word a key
 * @property {Record<string, number>} [counts]
 * @property {"ready" | "busy" | "pause" | "off"} tone
 */
/**
 * @typedef {object} Target
 * @property {string} key
 * @property {Kind} kind
 * @property {string} id
 * @property {Text} name
 * @property {Text | null} about
 * @property {Standing} standing
 * @property {boolean} reachable
 * @property {readonly Joining[]} ways what can be done with it
 */

/** @type {readonly Kind[]} */
export const KINDS = ["queue", "agent", "department", "skill"];

/** In the order of the keys 1 to 3. @type {readonly Joining[]} */
export const WAYS = ["transfer", "consult", "join"];

/** Who helps, and cannot be given the call. @type {readonly Joining[]} */
const BESIDE = ["consult", "join"];

const DOING = /** @type {const} */ ({
  idle: { icon: "success", word: "ask.free", tone: "ready" },
  reserved: { icon: "phone-ring", word: "presence.ringing", tone: "busy" },
  in_call: { icon: "phone", word: "presence.in_call", tone: "busy" },
  wrap_up: { icon: "pencil", word: "presence.wrap_up", tone: "busy" },
});

/** @param {Colleagues} told @returns {Target[]} by kind, people by name: nobody changes places when their state does */
export function targets({ queues, people, departments, skills }) {
  const named = [...people].sort((a, b) => a.name.zh.localeCompare(b.name.zh, "zh") || (a.agent < b.agent ? -1 : 1));
  return [
    ...queues.map(({ queue, name, waiting, free }) =>
      target("queue", queue, name, null, crew(free, { waiting, free }, "ask.queue"), true, WAYS),
    ),
    ...named.map((one) =>
      target("agent", one.agent, one.name, one.department, doing(one), one.presence === "available", one.role === "interpreter" ? BESIDE : WAYS),
    ),
    ...departments.map(({ department, name, on_duty, free }) =>
      target("department", department, name, null, duty(on_duty, free), on_duty > 0, WAYS),
    ),
    ...skills.map(({ skill, name, on_duty, free }) =>
      target("skill", skill, name, null, duty(on_duty, free), on_duty > 0, BESIDE),
    ),
  ];
}

/**
 * @param {readonly Target[]} all
 * @param {string} query what was typed: any part of a name, or the first letters of an English one's words
 * @param {Kind | null} kind null is every kind
 */
export function found(all, query, kind) {
  const wanted = query.trim().toLowerCase();
  return all.filter((one) => (kind === null || one.kind === kind) && (wanted === "" || matches(one, wanted)));
}

/** @param {Target} target @param {string} wanted */
function matches({ name, about }, wanted) {
  const initials = name.en.split(/[\s-]+/).map((word) => word.charAt(0)).join("");
  const words = [name.zh, name.en, name.en.replaceAll(" ", ""), about?.zh ?? "", about?.en ?? ""];
  return initials.toLowerCase().startsWith(wanted) || words.some((word) => word.toLowerCase().includes(wanted));
}

/**
 * @param {Kind} kind @param {string} id @param {Text} name @param {Text | null} about
 * @param {Standing} standing @param {boolean} reachable @param {readonly Joining[]} ways
 * @returns {Target}
 */
function target(kind, id, name, about, standing, reachable, ways) {
  return { key: `${kind}.${id}`, kind, id, name, about, standing, reachable, ways };
}

/** @param {Colleague} one @returns {Standing} */
function doing({ presence, activity }) {
  if (presence === "signed_out") return { icon: "user", word: "presence.off", tone: "off" };
  if (presence === "paused") return { icon: "coffee", word: "ask.paused", tone: "pause" };
  return DOING[activity];
}

/** @param {number} on_duty @param {number} free @returns {Standing} */
function duty(on_duty, free) {
  return on_duty === 0 ? { icon: "user", word: "ask.off_duty", tone: "off" } : crew(free, { on_duty, free }, "ask.duty");
}

/** @param {number} free @param {Record<string, number>} counts @param {string} word @returns {Standing} */
function crew(free, counts, word) {
  return free > 0 ? { icon: "success", word, counts, tone: "ready" } : { icon: "hourglass", word: `${word}.busy`, counts, tone: "busy" };
}
