/** The station's line to the service: its state, its call, and the resident's own camera and microphone. */

import { Connection, RequestError, socketUrl } from "../kit/protocol.js";
import { Leg, getLocalMedia, stopTracks } from "../kit/media.js";
import { Switched } from "../kit/switched.js";
import { stationHello } from "../kit/device.js";
import { computed, signal } from "../kit/ui.js";
import { SHUT, shut, slots, taken, ticket } from "./callback.js";

/** @typedef {import("../kit/messages.js").StationState} StationState */
/** @typedef {import("../kit/messages.js").Offer} Offer */
/** @typedef {import("../kit/messages.js").RatingReason} RatingReason */
/** @typedef {import("../kit/protocol.js").State} LinkState */
/** @typedef {{zh: string, en: string}} Text */
/** @typedef {import("../kit/media.js").Fault} Fault */

const LOOK_MS = 2_000;
const LIVE = new Set(["queued", "offered", "connecting", "active"]);
const UNANSWERED = { zh: "没有接通。请再试一次，或者找大厅工作人员。", en: "It did not work. Please try again or ask at the hall." };

/** @type {import("../../vendor/signals.js").Signal<StationState | null>} */
export const state = signal(null);
/** @type {import("../../vendor/signals.js").Signal<{state: LinkState, code: number | undefined}>} */
export const link = signal({ state: "connecting", code: undefined });
/** @type {import("../../vendor/signals.js").Signal<{mic: MediaStreamTrack | null, camera: MediaStreamTrack | null}>} */
export const own = signal({ mic: null, camera: null });
/** @type {import("../../vendor/signals.js").Signal<Fault[]>} */
export const faults = signal([]);
export const muted = signal(false);
/** The call was asked for, and the service has not shown it yet. */
export const asking = signal(false);
/** @type {import("../../vendor/signals.js").Signal<Text | null>} */
export const trouble = signal(null);
/** What the service says of this station's own network. */
/** @type {import("../../vendor/signals.js").Signal<import("../kit/messages.js").Judgement | null>} */
export const network = signal(null);
/** Our own media connection is being made anew. */
export const broken = signal(false);
/** Grows whenever a remote track came or changed. */
export const remoteChanges = signal(0);

/** A call that is over and that the resident is done with, whether or not the service knows it already. */
const forgotten = signal("");
export const call = computed(() => {
  const found = state.value?.call ?? null;
  return found?.phase === "ended" && found.id === forgotten.value ? null : found;
});
export const live = computed(() => call.value !== null && LIVE.has(call.value.phase));

/** @type {Connection | null} */
let connection = null;
/** @type {Promise<void> | null} */
let media = null;
/** Counts the times that media was let go: what opens late is closed again. */
let released = 0;
/** @type {ReturnType<typeof setInterval> | undefined} */
let watch;
/** The call of the last offer. */
let offered = "";
/** A new session began: offers may have been missed while nobody listened. */
let fresh = false;
/** Camera and microphone were tried: what there is of them is in `own`. */
let opened = false;

const leg = new Leg({
  onAnswer: (generation, sdp, restart) => void tell("answer", { call: offered, generation, sdp, restart }),
  onRestart: async (generation) => {
    if (call.value && live.value) await connection?.request("restart_ice", { call: call.value.id, generation });
  },
  onFailed: (generation) => {
    broken.value = true;
    if (call.value && live.value) void tell("rejoin", { call: call.value.id, generation });
  },
  onRemote: () => {
    remoteChanges.value += 1;
    if (leg.state === "connected") broken.value = false;
  },
});

const switched = new Switched(async (fields) => connection?.request("devices", fields));

export function start() {
  connection = new Connection({
    url: socketUrl(location, "/ws/station"),
    challenged: true,
    hello: (nonce) => stationHello(location.origin, nonce ?? ""),
    onMessage: receive,
    onState: (now, code) => {
      link.value = { state: now, code };
      if (now === "closed") release(); // revoked, or open elsewhere: nobody is to be seen or heard from here any more
    },
  });
  addEventListener("online", () => connection?.retryNow());
  connection.start();
}

/** @param {import("../kit/protocol.js").Message} message */
function receive(message) {
  if (message.type === "welcome") greeted(message.resumed);
  else if (message.type === "station_state") void draw(/** @type {StationState} */ (message));
  else if (message.type === "offer") void take(message);
  else if (message.type === "slots") slots.value = message;
  else if (message.type === "booked") ticket.value = message;
  else if (message.type === "own_quality") network.value = message.call === call.value?.id ? message.judgement : null;
  else if (message.type === "error") trouble.value = message.text;
}

/** @param {boolean} resumed what was said before still holds */
function greeted(resumed) {
  fresh = !resumed;
  if (fresh) network.value = null;
}

/** @param {StationState} next */
async function draw(next) {
  state.value = next;
  if (next.call) asking.value = false;
  if (!live.value) {
    fresh = false;
    if (!asking.value) release();
    return;
  }
  watchLeg();
  if (fresh) switched.forget();
  saySwitched();
  if (!fresh) return;
  fresh = false;
  await openMedia();
  await comeBack();
}

/** After a reload, or a break longer than a session lives: unless our connection still stands, ask for a new one. */
async function comeBack() {
  const now = call.value;
  if (!now || !live.value || now.generation === 0) return;
  if (leg.generation === now.generation && leg.state === "connected") return;
  await tell("rejoin", { call: now.id, generation: now.generation });
}

/** @param {Offer} offer */
async function take(offer) {
  await openMedia();
  if (call.value?.id !== offer.call && !asking.value) return;
  offered = offer.call;
  await leg.offer(offer);
}

/** The track that shows what is on this m-line. @param {import("../kit/media.js").Mid} mid */
export function remote(mid) {
  void remoteChanges.value;
  return leg.remote(mid);
}

/** The service's clock, Unix milliseconds. */
export function serverNow() {
  return connection?.serverNow() ?? Date.now();
}

// --- what the resident does ---------------------------------------------------------------------

/** @typedef {{elder?: boolean, sign_language?: boolean, appointment?: string | null}} Wish */

/** @param {string} item @param {Wish} [wish] */
export async function place(item, wish = {}) {
  trouble.value = null;
  asking.value = true;
  void openMedia();
  try {
    await connection?.request("call", { item, consent: true, ...wish });
  } catch (fault) {
    asking.value = false;
    if (!live.value) release();
    if (fault instanceof RequestError && SHUT.has(fault.code)) {
      offerCallback(item, /** @type {import("./callback.js").Shut} */ (fault.code));
      return;
    }
    trouble.value = fault instanceof RequestError ? fault.text : UNANSWERED;
  }
}

/** Nobody can answer: say so, and look when somebody can. @param {string} item @param {import("./callback.js").Shut} why */
export function offerCallback(item, why) {
  shut.value = { item, why };
  askSlots(item);
}

/** @param {string} item */
export function askSlots(item) {
  void tell("ask_slots", { item });
}

/** @param {string} item @param {number} at @param {string | null} phone */
export async function book(item, at, phone) {
  try {
    await connection?.request("book", { item, at, phone });
  } catch (fault) {
    taken.value = fault instanceof RequestError && fault.code === "slot_taken";
    if (!taken.value) trouble.value = fault instanceof RequestError ? fault.text : UNANSWERED;
    askSlots(item);
  }
}

export async function cancel() {
  if (call.value) await tell("cancel", { call: call.value.id });
}

export async function hangUp() {
  if (call.value) await tell("hang_up", { call: call.value.id });
}

/** @param {number} stars @param {RatingReason[]} reasons */
export async function rate(stars, reasons) {
  if (call.value) await tell("rate", { call: call.value.id, stars, reasons });
}

/** Forget the call that is over; at once here, and at the service as soon as it hears of it. */
export async function dismiss() {
  const over = call.value;
  if (!over || live.value) return;
  forgotten.value = over.id;
  await tell("dismiss", { call: over.id });
}

export async function toggleMute() {
  muted.value = !muted.value;
  if (own.value.mic) own.value.mic.enabled = !muted.value;
  saySwitched();
}

/**
 * @template {keyof import("../kit/protocol.js").Requests} K
 * @param {K} type @param {import("../kit/protocol.js").Requests[K]} fields
 */
async function tell(type, fields) {
  try {
    await connection?.request(type, fields);
  } catch (fault) {
    // A straggler about a call that is over meanwhile is nobody's trouble.
    if (live.value && type !== "rejoin" && type !== "answer") trouble.value = /** @type {RequestError} */ (fault).text;
  }
}

// --- camera and microphone, only while they are needed ------------------------------------------

function openMedia() {
  media ??= (async () => {
    const time = released;
    const [width, height] = (document.documentElement.dataset.camera ?? "1280x720").split("x").map(Number);
    const found = await getLocalMedia({ width, height });
    if (time !== released) {
      stopTracks(found.mic, found.camera);
      return;
    }
    if (found.mic) found.mic.enabled = !muted.value; // muted while it was opening
    own.value = { mic: found.mic, camera: found.camera };
    faults.value = found.faults;
    opened = true;
    for (const track of [found.mic, found.camera]) if (track) track.onended = saySwitched; // unplugged
    saySwitched();
    await leg.setLocal("mic", found.mic);
    await leg.setLocal("camera", found.camera);
  })();
  return media;
}

/** Nothing is said before the devices were tried: until then nobody knows. */
function saySwitched() {
  if (opened && call.value && live.value) switched.say(call.value.id, own.value.mic, own.value.camera);
}

function release() {
  released += 1;
  opened = false;
  switched.forget();
  stopTracks(own.value.mic, own.value.camera);
  leg.close();
  media = null;
  clearInterval(watch);
  watch = undefined;
  own.value = { mic: null, camera: null };
  faults.value = [];
  muted.value = false;
  network.value = null;
  broken.value = false;
}

function watchLeg() {
  watch ??= setInterval(() => {
    if (leg.state === "connected") broken.value = false;
  }, LOOK_MS);
}
