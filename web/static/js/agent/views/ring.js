/** Middle, while it rings: who calls, and how long there is to answer. */

import { html, Icon } from "../../kit/ui.js";
import { words } from "../format.js";
import { itemName, local, now, sending, soundAllowed, state } from "../state.js";
import { pick, t } from "../text.js";
import { Act, Refusal, Trouble } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").Ring} RingView */

const ICONS = {
  call: "phone-ring",
  transfer: "phone-incoming",
  consult: "message",
  join: "users",
  expert: "briefcase",
  interpreter: "language",
};
const LANES = { elder: "heart", appointment: "calendar", returning: "refresh", escalated: "up" };

const RADIUS = 54;
const AROUND = 2 * Math.PI * RADIUS;
const HURRY_S = 5;

/** How long each ring lasts as first seen here, by reservation: what the circle is full at. @type {Map<string, number>} */
const whole = new Map();

/** @param {{desk: Desk}} props */
export function Ring({ desk }) {
  const ring = state.value?.ring;
  if (!ring) return null;
  const kind = asWhat(ring);
  return html`<div class="card ring" role="alertdialog" aria-labelledby="ring-title" aria-describedby="ring-what" data-testid="ring" data-kind=${kind}>
    <p class="ring-head" id="ring-title"><${Icon} name=${ICONS[kind]} />${t(`ring.as.${kind}`)}<${Lane} ring=${ring} /></p>
    <h1 id="ring-what">${pick(itemName(ring.item))}</h1>
    <${AskedBy} ring=${ring} />
    <p class="ring-place"><${Icon} name="map-pin" />${t("ring.place", { site: pick(ring.site), station: pick(ring.station) })}</p>
    <p class="ring-waited"><${Icon} name="hourglass" />${t("ring.waited", { time: words(now.value - ring.requested_at) })}</p>
    <${Countdown} reservation=${ring.reservation} until=${ring.until} />
    <${Answer} desk=${desk} ring=${ring} />
    <${Refusal} place="ring" />
    ${!soundAllowed.value && html`<p class="hint">${t("idle.sound")}</p>`}
    ${
      local.value?.fault
        ? html`<${Trouble} fault=${local.value.fault} onRetry=${() => desk.retryLocal()} />`
        : html`<p class="hint">${t(state.value?.call?.connected ? "ring.connected" : "ring.preparing")}</p>`
    }
  </div>`;
}

/** As what I am asked. @param {RingView} ring @returns {keyof typeof ICONS} */
export function asWhat({ role, joining }) {
  if (role === "interpreter" || role === "expert") return role;
  return joining ?? "call";
}

/** Why it goes before others. @param {{ring: RingView}} props */
function Lane({ ring: { lane } }) {
  return lane === "normal" ? null : html`<span class="lane" data-lane=${lane}><${Icon} name=${LANES[lane]} />${t(`lane.${lane}`)}</span>`;
}

/** Who asks, and how it will be. @param {{ring: RingView}} props */
function AskedBy({ ring: { asked_by, joining } }) {
  if (asked_by === null || joining === null) return null;
  const who = t("ring.asked_by", { name: pick(asked_by.name), department: pick(asked_by.department) });
  return html`<p class="ring-asked"><b>${who}</b> ${t(`ring.how.${joining}`)}</p>`;
}

/** @param {{desk: Desk, ring: RingView}} props */
function Answer({ desk, ring }) {
  if (ring.answered)
    return html`<p class="ring-answer answered" role="status"><${Icon} name="success" />${t("ring.other")}</p>`;
  const busy = sending.value === "ring";
  return html`<div class="ring-answer">
    <${Act} act="accept" icon="phone" kind="primary large" hotkey="Enter" word=${t("ring.accept")} autoFocus
      disabled=${busy} onClick=${() => desk.accept()} />
    <${Act} act="decline" icon="close" kind="large" hotkey="Esc" word=${t("ring.decline")} disabled=${busy} onClick=${() => desk.decline()} />
  </div>`;
}

/** @param {{reservation: string, until: number}} props */
function Countdown({ reservation, until }) {
  const left = Math.max(0, until - now.value);
  if (!whole.has(reservation)) {
    whole.clear();
    whole.set(reservation, Math.max(left, 1000));
  }
  const seconds = Math.ceil(left / 1000);
  const part = Math.min(1, left / (whole.get(reservation) ?? left));
  return html`<div class="countdown" data-hurry=${seconds <= HURRY_S} role="timer" aria-label=${t("ring.left", { count: seconds })}>
    <svg viewBox="0 0 120 120" aria-hidden="true">
      <circle cx="60" cy="60" r=${RADIUS} class="track" />
      <circle cx="60" cy="60" r=${RADIUS} class="left-over" stroke-dasharray=${AROUND}
        stroke-dashoffset=${AROUND * (1 - part)} transform="rotate(-90 60 60)" />
    </svg>
    <strong class="figures" data-testid="seconds">${seconds}</strong>
    <span>${t("ring.seconds")}</span>
  </div>`;
}
