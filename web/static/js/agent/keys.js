/** Every action has a key. Which keys there are depends on what is on the screen. */

import * as st from "./state.js";
import { WAYS } from "./targets.js";
import { against, chosen } from "./views/asking.js";
import { choose, OUTCOMES } from "./views/wrap-up.js";
import { REASONS } from "./views/presence.js";
import { leaveCheck, openCheck, switchLanguage, switchStage } from "./page.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {Record<string, () => void>} Keys by name: "M", "1", "Enter", "Esc", "?", "Ctrl+E" */

/** @param {Desk} desk */
export function listen(desk) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing || event.altKey || event.metaKey) return;
    const key = nameOf(event);
    if (isTyping(event.target) && !(event.ctrlKey || key === "Esc")) return;
    if (key === "Enter" && isPressable(event.target)) return;
    const act = key === "Esc" && isTyping(event.target) ? blur : bindings(desk)[key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
}

/** @param {KeyboardEvent} event */
function nameOf(event) {
  const key = event.key === "Escape" ? "Esc" : event.key.length === 1 ? event.key.toUpperCase() : event.key;
  return event.ctrlKey ? `Ctrl+${key}` : key;
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  if (target instanceof HTMLInputElement) return target.type === "text";
  return target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement;
}

/**
 * Whether Enter is the focused control's own: it does what it says. While it rings only what belongs to the ring is,
 * wherever the focus was left.
 *
 * @param {EventTarget | null} target
 */
function isPressable(target) {
  const control = target instanceof Element ? target.closest("button, a, summary") : null;
  return control !== null && (st.mode.value !== "ring" || control.closest(".ring") !== null);
}

function blur() {
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

/** @param {Desk} desk @returns {Keys} */
function bindings(desk) {
  if (st.link.value === "taken_over" || st.link.value === "stopped") return {};
  if (st.helping.value) return { Esc: toggleHelp, "?": toggleHelp };
  const mode = st.mode.value;
  if (mode === "loading") return {};
  if (st.asking.value !== null) return inPanel(desk);
  return { ...everywhere(mode), ...(mode === "wrap_up" ? {} : presence(desk)), ...own(desk, mode) };
}

/** @param {import("./state.js").Mode} mode @returns {Keys} */
function everywhere(mode) {
  /** @type {Keys} */
  const keys = { "?": toggleHelp, L: switchLanguage, D: switchStage };
  return mode === "idle" ? { ...keys, K: openCheck } : keys;
}

/** @param {Desk} desk @returns {Keys} */
function presence(desk) {
  const pauses = REASONS.map((reason, index) => [String(index + 1), () => void desk.declare("paused", reason)]);
  return { 0: () => void desk.declare("available"), 9: () => void desk.declare("signed_out"), ...Object.fromEntries(pauses) };
}

/** @param {Desk} desk @param {import("./state.js").Mode} mode @returns {Keys} */
function own(desk, mode) {
  switch (mode) {
    case "ring":
      return { Enter: () => void desk.accept(), Esc: () => void desk.decline() };
    case "check":
      return { Esc: leaveCheck };
    case "call":
      return inCall(desk);
    case "wrap_up":
      return {
        Enter: () => void desk.ready(),
        "Ctrl+Enter": () => void desk.ready(),
        E: () => void desk.extend(),
        ...Object.fromEntries(OUTCOMES.map((outcome, index) => [String(index + 1), () => choose(outcome)])),
      };
    default:
      return {};
  }
}

/** @param {Desk} desk @returns {Keys} */
function inCall(desk) {
  return {
    M: () => desk.toggleMute(),
    V: () => desk.toggleCamera(),
    S: () => void desk.toggleShare(),
    N: () => document.getElementById("note")?.focus(),
    W: toggleFigures,
    H: () => void desk.parties.toggleHold(),
    T: () => desk.parties.openPanel(),
    X: () => drop(desk),
    P: () => /** @type {HTMLElement | null} */ (document.querySelector(".party .act"))?.focus(),
    Esc: () => (st.ending.value = st.figuring.value = false),
    "Ctrl+E": () => void desk.end(),
  };
}

/** What stands over the picture goes: who is asked, or the word that nobody came. @param {Desk} desk */
function drop(desk) {
  if (st.state.value?.call?.ask) void desk.parties.drop();
  else desk.parties.read();
}

/** Choosing whom to ask: figures mean what is done, not how long I am away. @param {Desk} desk @returns {Keys} */
function inPanel(desk) {
  const sure = st.asking.value?.sure ?? false;
  const ways = WAYS.map((way, index) => [String(index + 1), () => press(desk, way)]);
  return {
    M: () => desk.toggleMute(),
    V: () => desk.toggleCamera(),
    T: () => document.getElementById("ask-search")?.focus(),
    Esc: () => (sure ? desk.parties.unsure() : desk.parties.closePanel()),
    ...(sure ? {} : Object.fromEntries(ways)),
  };
}

/** @param {Desk} desk @param {import("../kit/messages.js").Joining} way */
function press(desk, way) {
  const target = chosen();
  if (target !== null && target.ways.includes(way) && against(target, way) === null) void desk.parties.choose(target, way);
}

export function toggleFigures() {
  st.figuring.value = !st.figuring.value;
}

export function toggleHelp() {
  st.helping.value = !st.helping.value;
}
