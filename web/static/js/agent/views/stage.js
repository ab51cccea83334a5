/** Middle, in a call: whose call it is, the pictures, what is not as it should be, and what I can do. */

import { html, Icon } from "../../kit/ui.js";
import { clock } from "../format.js";
import { owner, present } from "../people.js";
import { link, local, muted, now, shareLost, soundBlocked, state } from "../state.js";
import { pick, t } from "../text.js";
import { Controls } from "./controls.js";
import { Networks, WeakNetworks } from "./networks.js";
import { Refusal, Trouble } from "./parts.js";
import { Supervised } from "./people.js";
import { largest, Pictures, Voices } from "./pictures.js";
import { Asked, Held, NotCome } from "./waiting-for.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").AgentCall} Call */

/** @param {{desk: Desk}} props */
export function Stage({ desk }) {
  const call = state.value?.call;
  if (!call) return null;
  return html`<div class="stage" data-testid="stage">
    <${Strip} call=${call} />
    <div class="pictures" data-crowd=${present(call).length > 0 || call.on_hold}>
      <${Pictures} call=${call} desk=${desk} />
      <${Banners} call=${call} desk=${desk} />
    </div>
    <${Controls} desk=${desk} call=${call} />
    <${Voices} desk=${desk} call=${call} />
  </div>`;
}

/** @param {{call: Call}} props */
function Strip({ call }) {
  const started = call.answered_at ?? call.requested_at;
  return html`<div class="strip">
    <h1 class="who"><${Icon} name="user" /><b>${t("call.resident")}</b>
      <span class="where">${t("ring.place", { site: pick(call.site), station: pick(call.station) })}</span></h1>
    <${Owner} call=${call} />
    <${Networks} call=${call.id} />
    <span class="rec"><${Icon} name="record" />${t("call.recording")}</span>
    <time class="figures timer" aria-label=${t("call.timer")} data-testid="timer">${clock(now.value - started)}</time>
  </div>`;
}

/** Whose call it is; alone with the resident nobody wonders. @param {{call: Call}} props */
function Owner({ call }) {
  const other = owner(call);
  if (other === null && (!call.owner || present(call).length === 0)) return null;
  return html`<span class="owner" data-testid="owner"><${Icon} name="key" />
    ${other === null ? t("owner.me") : t("owner.other", { name: pick(other.name) })}</span>`;
}

/** What is going on and what is not as it should be, over the picture, so that nothing moves. @param {{call: Call, desk: Desk}} props */
function Banners({ call, desk }) {
  const fault = local.value?.fault ?? null;
  return html`<div class="banners">
    ${largest(call).what !== "nobody" && html`<${Held} call=${call} desk=${desk} />`}
    <${Asked} call=${call} desk=${desk} />
    <${NotCome} call=${call} desk=${desk} />
    ${(link.value === "lost" || link.value === "restarting") &&
      html`<${Banner} icon="no-network" tone="warn" word=${t(`link.${link.value}`)} />`}
    ${call.resident_away && html`<${Banner} icon="no-network" tone="warn" word=${t("call.away")} />`}
    ${!call.resident_mic && !call.on_hold && html`<${Banner} icon="mic-off" word=${t("call.resident_muted")} />`}
    ${!call.connected && call.phase === "active" && html`<${Banner} icon="refresh" tone="warn" word=${t("call.rejoining")} />`}
    ${muted.value && html`<${Banner} icon="mic-off" tone="warn" word=${t(present(call).length > 0 ? "call.muted.all" : "call.muted")} />`}
    ${shareLost.value && html`<${Banner} icon="screen-share-off" word=${t("call.share_lost")} />`}
    ${soundBlocked.value && html`<button type="button" class="banner warn"><${Icon} name="speaker-off" />${t("call.play")}</button>`}
    ${fault !== null && html`<${Trouble} fault=${fault} onRetry=${() => desk.retryLocal()} />`}
    <${WeakNetworks} call=${call.id} />
    <${Supervised} call=${call} />
    <${Refusal} place="call" />
    <${Refusal} place="share" />
  </div>`;
}

/** @param {{icon: string, word: string, tone?: string}} props */
function Banner({ icon, word, tone = "" }) {
  return html`<p class=${`banner ${tone}`} role="status"><${Icon} name=${icon} />${word}</p>`;
}
