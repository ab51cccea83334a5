/**
 * What the console itself remembers of the call it is in: notes it sent, ticked materials, what it saw happen.
 *
 * The server's state carries none of these, so they live in this tab's sessionStorage under the call's id: they
 * survive a reload and are forgotten when the agent is done with the call.
 */

import { signal } from "../../vendor/signals.js";

/**
 * @typedef {"requested" | "answered" | "came" | "share_on" | "share_off" | "away" | "back" | "held" | "resumed"
 *   | "asked" | "ask_failed" | "joined" | "left" | "owner" | "owner_me" | "reloaded" | "note" | "ended"} Happening
 * @typedef {{at: number, kind: Happening, text?: string, who?: import("../kit/messages.js").Text}} Line
 * @typedef {{call: string, ticked: number[], lines: Line[]}} CallMemory
 */

const KEY = "bangban.agent.call";

/** @type {import("../../vendor/signals.js").Signal<CallMemory | null>} */
export const memory = signal(/** @type {CallMemory | null} */ (null));

/** @param {CallMemory | null} next */
function keep(next) {
  memory.value = next;
  if (next === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(next));
}

/**
 * Begin remembering a call, or take up what was remembered before a reload.
 *
 * @param {string} call
 * @returns {boolean} whether it was taken up
 */
export function recall(call) {
  if (memory.value?.call === call) return true;
  const kept = sessionStorage.getItem(KEY);
  /** @type {CallMemory | null} */
  const before = kept === null ? null : JSON.parse(kept);
  const same = before?.call === call;
  keep(same ? before : { call, ticked: [], lines: [] });
  return same;
}

export function forget() {
  if (memory.value !== null || sessionStorage.getItem(KEY) !== null) keep(null);
}

/** @param {Happening} kind @param {number} at Unix ms @param {Pick<Line, "text" | "who">} [more] */
export function log(kind, at, more = {}) {
  if (memory.value === null) return;
  keep({ ...memory.value, lines: [...memory.value.lines, { at, kind, ...more }] });
}

/** @param {Happening} kind */
export function seen(kind) {
  return memory.value?.lines.some((line) => line.kind === kind) ?? false;
}

/** Since when the resident is on hold, as far as this browser knows. @returns {number | null} Unix ms */
export function heldSince() {
  const last = memory.value?.lines.findLast((line) => line.kind === "held" || line.kind === "resumed");
  return last?.kind === "held" ? last.at : null;
}

/** @param {number} material its index in the item */
export function tick(material) {
  if (memory.value === null) return;
  const { ticked } = memory.value;
  const next = ticked.includes(material) ? ticked.filter((one) => one !== material) : [...ticked, material];
  keep({ ...memory.value, ticked: next });
}
