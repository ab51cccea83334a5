/** Left: what I am, what I may change it to, and the queue. */

import { html, Icon } from "../../kit/ui.js";
import { clock } from "../format.js";
import { mode, now, sending, state } from "../state.js";
import { t } from "../text.js";
import { Act, Refusal } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../state.js").AgentState} AgentState */
/** @typedef {{word: string, icon: string, tone: "ready" | "pause" | "busy" | "off"}} Status `word` is a key */

/** Why an agent pauses, in the order of the keys 1 to 5. */
export const REASONS = /** @type {const} */ (["break", "meal", "meeting", "training", "counter"]);

const PAUSE_ICONS = {
  break: "coffee",
  meal: "meal",
  meeting: "meeting",
  training: "training",
  counter: "counter",
  missed_calls: "warning",
  connection_lost: "no-network",
};

/** Paused for no reason is how the server makes an agent known who has not gone on duty. @param {AgentState} seen */
export const offDuty = (seen) => seen.presence === "signed_out" || (seen.presence === "paused" && !seen.pause_reason);

/** Paused by the system, not by the agent. @param {AgentState} seen */
export const pausedBySystem = (seen) =>
  seen.presence === "paused" && (seen.pause_reason === "missed_calls" || seen.pause_reason === "connection_lost");

/** What the agent declared. @param {AgentState} seen @returns {Status} */
export function declared(seen) {
  if (offDuty(seen)) return { word: "presence.off", icon: "user", tone: "off" };
  if (seen.presence === "available" || seen.pause_reason === null)
    return { word: "presence.available", icon: "success", tone: "ready" };
  return { word: `presence.${seen.pause_reason}`, icon: PAUSE_ICONS[seen.pause_reason], tone: "pause" };
}

/** What the agent is just now: a call goes before what was declared. @param {AgentState} seen @returns {Status} */
export function status(seen) {
  switch (seen.activity) {
    case "reserved":
      return { word: "presence.ringing", icon: "phone-ring", tone: "busy" };
    case "in_call":
      return { word: "presence.in_call", icon: "phone", tone: "busy" };
    case "wrap_up":
      return { word: "presence.wrap_up", icon: "pencil", tone: "pause" };
    default:
      return declared(seen);
  }
}

/** @param {{desk: Desk}} props */
export function Presence({ desk }) {
  const seen = state.value;
  if (seen === null) return html`<aside class="left" aria-label=${t("left")}></aside>`;
  return html`<aside class="left" aria-label=${t("left")}>
    <${Status} seen=${seen} />
    ${pausedBySystem(seen) && mode.value !== "idle" && html`<p class="why">${t(`presence.why.${seen.pause_reason}`)}</p>`}
    <${Choices} seen=${seen} desk=${desk} />
    <${Refusal} place="presence" />
    <${Queue} seen=${seen} />
  </aside>`;
}

/** @param {{seen: AgentState}} props */
function Status({ seen }) {
  const { word, icon, tone } = status(seen);
  // A reloaded page begins a new presence, not a new call.
  const since = (seen.activity === "in_call" && seen.call?.answered_at) || seen.since;
  const later = seen.activity !== "idle" && seen.presence !== "available";
  return html`<section class="status" data-tone=${tone} aria-label=${t("presence.title")} data-testid="status">
    <${Icon} name=${icon} />
    <div>
      <strong role="status">${t(word)}</strong>
      ${later && html`<small>${t("presence.then", { word: t(declared(seen).word) })}</small>`}
    </div>
    <time class="figures">${clock(now.value - since)}</time>
  </section>`;
}

/** @param {{seen: AgentState, desk: Desk}} props */
function Choices({ seen, desk }) {
  const waiting = sending.value === "presence";
  const busy = seen.activity !== "idle";
  const back = seen.presence === "paused" && !offDuty(seen);
  return html`<section class="choices" aria-label=${t("presence.pause")}>
    ${
      seen.presence !== "available" &&
      !busy &&
      html`<${Act} act="available" icon="headset" kind="primary" hotkey="0" word=${t(back ? "presence.back" : "presence.go")}
        disabled=${waiting} onClick=${() => desk.declare("available")} />`
    }
    <h2>${t(busy ? "presence.pause.after" : "presence.pause")}</h2>
    <div class="reasons">
      ${REASONS.map(
        (reason, index) =>
          html`<${Act} key=${reason} act=${`pause-${reason}`} icon=${PAUSE_ICONS[reason]} hotkey=${String(index + 1)}
            word=${t(`presence.${reason}`)} pressed=${seen.presence === "paused" && seen.pause_reason === reason}
            disabled=${waiting} onClick=${() => desk.declare("paused", reason)} />`,
      )}
      ${
        (busy || !offDuty(seen)) &&
        html`<${Act} act="leave" icon="logout" hotkey="9" word=${t("presence.leave")} disabled=${waiting}
          pressed=${busy ? seen.presence === "signed_out" : undefined} onClick=${() => desk.declare("signed_out")} />`
      }
    </div>
    ${busy && seen.presence !== "available" && html`<${Later} seen=${seen} desk=${desk} waiting=${waiting} />`}
  </section>`;
}

/** What will be when the call is over, and how to take that back. @param {{seen: AgentState, desk: Desk, waiting: boolean}} props */
function Later({ seen, desk, waiting }) {
  const { icon } = declared(seen);
  return html`<div class="later" data-testid="later">
    <p role="status"><${Icon} name=${icon} />${later(seen)}</p>
    <${Act} act="available" icon="back" hotkey="0" word=${t("presence.after.not")} disabled=${waiting} onClick=${() => desk.declare("available")} />
  </div>`;
}

/** @param {AgentState} seen */
function later(seen) {
  if (offDuty(seen)) return t("presence.after.off");
  return t(pausedBySystem(seen) ? "presence.after.system" : `presence.after.${seen.pause_reason}`);
}

/** @param {{seen: AgentState}} props */
function Queue({ seen }) {
  const wait = seen.longest_wait_since;
  const long = wait !== null && now.value - wait > 120_000;
  return html`<section class="queue" aria-label=${t("queue.title")}>
    <h2>${t("queue.title")}</h2>
    <dl>
      <div><dt><${Icon} name="users" />${t("queue.waiting")}</dt>
        <dd class="figures" data-testid="waiting">${t("queue.people", { count: seen.waiting })}</dd></div>
      <div data-long=${long}><dt><${Icon} name=${long ? "warning" : "hourglass"} />${t("queue.longest")}</dt>
        <dd class="figures">${wait === null ? "–" : clock(now.value - wait)}</dd></div>
      <div><dt><${Icon} name="headset" />${t("queue.free")}</dt>
        <dd class="figures">${t("queue.people", { count: seen.colleagues_free })}</dd></div>
    </dl>
    ${mode.value !== "call" && html`<p class="hint">${t("queue.hint")}</p>`}
  </section>`;
}
