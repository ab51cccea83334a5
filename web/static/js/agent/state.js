/**
 * What the console draws from: the last state that the server sent, and what only this browser knows (its camera,
 * its socket, what was refused). Nothing here decides; desk.js writes, the views read.
 */

import { computed, signal } from "../../vendor/signals.js";

/**
 * @template T
 * @typedef {import("../../vendor/signals.js").Signal<T>} Signal
 */
/** @typedef {import("../kit/messages.js").AgentState} AgentState */
/** @typedef {import("../kit/messages.js").Text} Text */
/** @typedef {import("../kit/messages.js").Item} Item */
/** @typedef {import("../kit/messages.js").Department} Department */
/** @typedef {{items: Item[], departments: Department[]}} Catalogue */
/** @typedef {"loading" | "check" | "idle" | "ring" | "call" | "wrap_up"} Mode */
/** @typedef {"presence" | "ring" | "call" | "ask" | "share" | "note" | "wrap_up"} Place where a refusal is shown */
/**
 * The panel for asking somebody: what is typed, which kind is shown, who is chosen (a Target's key), and whether
 * "really transfer?" is asked.
 * @typedef {{query: string, kind: import("./targets.js").Kind | null, chosen: string | null, sure: boolean}} Asking
 */
/** @typedef {"missed" | "withdrawn" | "declined" | "alone" | "asked_missed" | "asked_withdrawn" | "asked_declined"} RingEnd */
/** @typedef {"connecting" | "open" | "lost" | "restarting" | "taken_over" | "stopped"} Link */

/** @type {Signal<AgentState | null>} */
export const state = signal(/** @type {AgentState | null} */ (null));

/** @type {Signal<Link>} */
export const link = signal(/** @type {Link} */ ("connecting"));

/** The close code that stopped us for good, when `link` is "stopped". */
export const stoppedBy = signal(0);

/** @type {Signal<Catalogue | null | "failed">} null while it loads */
export const catalogue = signal(/** @type {Catalogue | null | "failed"} */ (null));

/** @type {Signal<Partial<Record<Place, Text | string>>>} the server's sentence, or a key of our catalogue */
export const refusals = signal(/** @type {Partial<Record<Place, Text | string>>} */ ({}));

/** @type {Signal<import("./devices.js").Local | null>} camera and microphone, while a call needs them */
export const local = signal(/** @type {import("./devices.js").Local | null} */ (null));

/** @type {Signal<MediaStream | null>} the screen or window being shared */
export const shared = signal(/** @type {MediaStream | null} */ (null));

/** The browser's window for choosing what to share is open, or the server has not agreed yet. */
export const startingShare = signal(false);

/** The page was reloaded while it shared: the share is gone and can be started again. */
export const shareLost = signal(false);

export const muted = signal(false);
export const cameraOff = signal(false);

/** Grows when a remote track comes or goes, so that the views look again. */
export const remoteRevision = signal(0);

/** @type {Signal<import("../kit/messages.js").CallQuality | null>} what the service last said of the networks */
export const quality = signal(/** @type {import("../kit/messages.js").CallQuality | null} */ (null));

/** The figures behind the signs are open. */
export const figuring = signal(false);

/** The browser refused to play the resident's voice before a touch. */
export const soundBlocked = signal(false);

/** @type {Signal<{how: RingEnd, item: string} | null>} what became of the last ring */
export const lastRing = signal(/** @type {{how: RingEnd, item: string} | null} */ (null));

/** @type {Signal<import("../kit/messages.js").Colleagues | null>} whom I may ask for; null until it came */
export const colleagues = signal(/** @type {import("../kit/messages.js").Colleagues | null} */ (null));

/** @type {Signal<Asking | null>} null while the panel is closed */
export const asking = signal(/** @type {Asking | null} */ (null));

/** The failed ask ("<call>.<number>") that was read and put away. */
export const readFailure = signal("");

/** The server's clock, Unix ms, moved on four times a second. */
export const now = signal(Date.now());

/** The device check is open. */
export const checking = signal(false);

/** The list of keys is open. */
export const helping = signal(false);

/** "Really end?" is asked. */
export const ending = signal(false);

/** Whether the browser lets the page ring. */
export const soundAllowed = signal(true);

/** What the agent chose and wrote in wrap-up, not sent yet. @type {Signal<{outcome: import("../kit/messages.js").Outcome | null, note: string}>} */
export const wrapUp = signal({
  outcome: /** @type {import("../kit/messages.js").Outcome | null} */ (null),
  note: "",
});

/** What is being sent just now, so that a button is not pressed twice. @type {Signal<Place | null>} */
export const sending = signal(/** @type {Place | null} */ (null));

/** Whether I am in it, as opposed to rung for it or gone from it. @param {NonNullable<AgentState["call"]>} call */
export const isTalking = (call) => !call.left && (call.phase === "connecting" || call.phase === "active");

/** What came of a call is its owner's to say, once it is over. @param {NonNullable<AgentState["call"]>} call */
export const givesOutcome = (call) => call.owner && !call.left;

/** @type {import("../../vendor/signals.js").ReadonlySignal<Mode>} */
export const mode = computed(() => {
  const seen = state.value;
  if (seen === null) return "loading";
  if (seen.ring !== null) return "ring";
  if (seen.activity === "wrap_up" && seen.call !== null) return "wrap_up";
  if (seen.call !== null && isTalking(seen.call)) return "call";
  return checking.value ? "check" : "idle";
});

/** @type {import("../../vendor/signals.js").ReadonlySignal<string | null>} the item rung for, in the call, or wrapped up */
export const itemId = computed(() => state.value?.ring?.item ?? state.value?.call?.item ?? null);

/** @param {string | null} id @returns {Item | null} null also while the catalogue is not there */
export function itemOf(id) {
  const all = catalogue.value;
  return all === null || all === "failed" ? null : (all.items.find((item) => item.id === id) ?? null);
}

/** @param {string} id @returns {Text} the item's name; its id while the catalogue is not there */
export function itemName(id) {
  return itemOf(id)?.name ?? { zh: id, en: id };
}

/** @param {Place} place @param {Text | string | null} why null takes it away */
export function refuse(place, why) {
  const { [place]: _gone, ...rest } = refusals.value;
  refusals.value = why === null ? rest : { ...rest, [place]: why };
}
