/** Over the picture: the resident on hold, who is asked to come, and what became of that. */

import { html, Icon } from "../../kit/ui.js";
import { clock } from "../format.js";
import { heldSince } from "../memory.js";
import { owner, partner } from "../people.js";
import { now, readFailure, sending } from "../state.js";
import { pick, t } from "../text.js";
import { Act } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").AgentCall} Call */

/** What the resident sees and hears: nothing of us. @param {{desk: Desk, call: Call}} props */
export function Held({ desk, call }) {
  if (!call.on_hold) return null;
  const alone = partner(call) === null;
  const other = owner(call);
  return html`<section class="held" data-alone=${alone} role="status" data-testid="held">
    <${Icon} name="pause" />
    <div>
      <h2>${t("hold.title")}<time class="figures" aria-label=${t("hold.timer")}>${clock(now.value - (heldSince() ?? now.value))}</time></h2>
      <p>${t(alone ? "hold.alone" : "hold.together")}</p>
    </div>
    ${other === null
      ? html`<${Act} act="resume" icon="play" kind="primary large" hotkey="H" word=${t("hold.resume")} disabled=${sending.value === "call"}
          onClick=${() => desk.parties.toggleHold()} />`
      : html`<p class="hint">${t("hold.others", { name: pick(other.name) })}</p>`}
  </section>`;
}

/** @param {{desk: Desk, call: Call}} props */
export function Asked({ desk, call }) {
  const { ask } = call;
  if (ask === null) return null;
  const rung = call.people.find((person) => person.ringing);
  return html`<section class="asked" data-testid="asked">
    <${Icon} name=${ask.ringing ? "phone-ring" : "hourglass"} />
    <div role="status">
      <strong>${t(`asked.${ask.kind}`, { name: pick(ask.name) })}</strong>
      <span>${ask.ringing ? (rung ? t("asked.rings_at", { name: pick(rung.name) }) : t("asked.rings")) : t("asked.waits")}</span>
    </div>
    <p class="asked-time figures" role="timer">
      ${t("asked.since", { time: clock(now.value - ask.made_at) })}<br />${t("asked.left", { time: clock(ask.until - now.value) })}
    </p>
    ${call.owner &&
      html`<${Act} act="drop-ask" icon="close" hotkey="X" word=${t("asked.drop")} disabled=${sending.value === "call"}
        onClick=${() => desk.parties.drop()} />`}
  </section>`;
}

/** Nobody came: what happened, and what to do now. @param {{desk: Desk, call: Call}} props */
export function NotCome({ desk, call }) {
  const failed = call.failed_ask;
  if (failed === null || failed.why === "dropped" || !call.owner || readFailure.value === `${call.id}.${failed.number}`) return null;
  return html`<section class="asked failed" role="alert" data-testid="not-come">
    <${Icon} name="warning" />
    <div>
      <strong>${t(`failed.${failed.why}`, { name: pick(failed.name) })}</strong>
      <span>${t(call.on_hold ? "failed.then.held" : "failed.then")}</span>
    </div>
    <${Act} act="ask-again" icon="refresh" word=${t("failed.again")} onClick=${() => desk.parties.again()} />
    <${Act} act="ask-other" icon="help-person" hotkey="T" word=${t("failed.other")} onClick=${() => desk.parties.openPanel()} />
    <${Act} act="failed-read" icon="check" hotkey="X" word=${t("ring.dismiss")} onClick=${() => desk.parties.read()} />
  </section>`;
}
