/** Middle, while nothing rings: what I am waiting for, and what became of the last ring. */

import { html, Icon, useState } from "../../kit/ui.js";
import { noticePermission } from "../attention.js";
import { itemName, lastRing, soundAllowed, state } from "../state.js";
import { pick, t } from "../text.js";
import { Act } from "./parts.js";
import { declared, offDuty, pausedBySystem } from "./presence.js";

/** @typedef {import("../desk.js").Desk} Desk */

/** @param {{desk: Desk}} props */
export function Idle({ desk }) {
  const seen = state.value;
  if (seen === null) return null;
  const { icon, tone, word } = declared(seen);
  const kind = offDuty(seen)
    ? "off"
    : pausedBySystem(seen)
      ? "system"
      : seen.presence === "available"
        ? "ready"
        : "paused";
  const text = kind === "system" ? `presence.why.${seen.pause_reason}` : `idle.${kind}.text`;
  return html`<div class="card idle" data-tone=${tone} data-testid="idle">
    <${LastRing} />
    <${Icon} name=${icon} />
    <h1>${t(`idle.${kind}.title`, { word: t(word) })}</h1>
    <p>${t(text)}</p>
    ${
      kind !== "ready" &&
      html`<${Act} act="available-large" icon="headset" kind="primary large" hotkey="0" autoFocus
        word=${t(kind === "off" ? "presence.go" : "presence.back")} onClick=${() => desk.declare("available")} />`
    }
    ${kind === "ready" && html`<${Hints} />`}
  </div>`;
}

/** What became of the last ring. */
function LastRing() {
  const last = lastRing.value;
  if (last === null) return null;
  return html`<div class="last" role="status" data-how=${last.how}>
    <${Icon} name=${last.how === "missed" ? "warning" : "info"} />
    <span>${t(`ring.${last.how}`, { item: pick(itemName(last.item)) })}</span>
    <${Act} act="dismiss" icon="check" word=${t("ring.dismiss")} onClick=${() => (lastRing.value = null)} />
  </div>`;
}

/** What keeps a ring from being noticed, and how to mend it. */
function Hints() {
  const [permission, setPermission] = useState(noticePermission());
  const ask = async () => setPermission(await Notification.requestPermission());
  return html`<ul class="hints">
    ${!soundAllowed.value && html`<li><${Icon} name="speaker-off" /><span>${t("idle.sound")}</span></li>`}
    ${
      permission === "default" &&
      html`<li><${Icon} name="bell" /><span>${t("idle.notify.text")}</span>
        <${Act} act="notify" icon="bell" word=${t("idle.notify")} onClick=${ask} /></li>`
    }
    ${permission === "denied" && html`<li><${Icon} name="info" /><span>${t("idle.notify.denied")}</span></li>`}
  </ul>`;
}
