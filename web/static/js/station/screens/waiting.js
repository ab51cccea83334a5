/** Between the tap and the answer: one's place, what comes next, one's own picture, the guide. */

import { Picture, html } from "../../kit/ui.js";
import { t } from "../../kit/text.js";
import { Button, Note, Title } from "../parts.js";
import { cancel, faults, offerCallback, own } from "../session.js";
import { Guide } from "./item.js";
import { DeviceNotes } from "./notes.js";

/** @typedef {import("../../kit/messages.js").StationCall} StationCall */
/** @typedef {import("../catalogue.js").Item} Item */

/** @param {{call: StationCall, item: Item | undefined}} props */
export function Waiting({ call, item }) {
  return html`<main class="screen waiting">
    <div class="standing">
      <div aria-live="polite">${standing(call)}</div>
      <div class="mirror">
        ${faults.value.some((fault) => fault.device === "camera")
          ? html`<p class="no-picture">${t("station.waiting.no_camera")}</p>`
          : html`<${Picture} track=${own.value.camera} label=${t("station.call.own")} mirrored />`}
        <p class="caption">${t("station.waiting.mirror")}</p>
      </div>
    </div>
    ${call.on_duty === 0 && !call.held_up && call.phase === "queued" &&
    html`<${Button} kind="primary" icon="phone" onPress=${() => later(call)}>${t("station.callback.offer")}<//>`}
    <${DeviceNotes} />
    ${item && html`<${Guide} item=${item} tabbed />`}
    <${Button} kind="act" icon="close" onPress=${cancel}>${t("station.waiting.cancel")}<//>
  </main>`;
}

/** Not to wait, and to be called back. @param {StationCall} call */
async function later(call) {
  await cancel();
  offerCallback(call.item, "nobody");
}

/** @param {StationCall} call */
function standing(call) {
  if (call.phase === "connecting") return html`<${Title}>${t("station.waiting.answered")}<//>`;
  if (call.held_up) {
    return html`<${Title}>${t("station.waiting.held_up")}<//>
      <${Note} icon="clock" tone="warn">${t("station.waiting.held_up_more")}<//>`;
  }
  if (call.on_duty === 0) {
    return html`<${Title}>${call.moved === "agent_lost" ? t("station.waiting.lost") : t("station.waiting.nobody")}<//>
      <${Note} icon="clock" tone="warn">${t("station.waiting.nobody_more")}<//>`;
  }
  if (call.ringing) {
    return html`<${Title}>${call.moved ? t("station.waiting.ringing_again") : t("station.waiting.ringing")}<//><p class="next">${t("station.waiting.ringing_more")}</p>`;
  }
  return html`<${Title}>${call.ahead === 0 ? t("station.waiting.next") : t("station.waiting.ahead")}<//>
    ${call.moved && html`<p class="next">${call.moved === "transfer" ? t("station.waiting.transfer") : t("station.waiting.agent_lost")}</p>`}
    ${call.ahead > 0 && html`<p class="ordinal">${t("station.waiting.number", { ahead: call.ahead })}</p>`}
    ${call.estimate_s && html`<p class="estimate">${estimate(call.estimate_s)}</p>`}
    ${news(call)}
    <p class="next">${t("station.waiting.then")}</p>`;
}

/** Why it is later than it was said, who goes first, or where else we ask: the one that matters most. @param {StationCall} call */
function news(call) {
  const sentence = late(call) ?? (call.widened > 0 ? t("station.waiting.widened") : first(call));
  return sentence === null ? null : html`<${Note} icon="info" tone="info">${sentence}<//>`;
}

/** @param {StationCall} call */
function late({ wait_reason }) {
  if (wait_reason === null) return null;
  return {
    priority: t("station.waiting.priority"),
    fewer_agents: t("station.waiting.fewer_agents"),
    longer_calls: t("station.waiting.longer_calls"),
  }[wait_reason];
}

/** @param {StationCall} call */
function first({ lane, moved }) {
  return lane === "normal" || moved !== null ? null : t("station.waiting.first");
}

/** Seconds as a range of whole minutes. @param {readonly [number, number]} seconds */
function estimate([low, high]) {
  const from = Math.floor(low / 60);
  const to = Math.max(1, Math.ceil(high / 60));
  if (from < 1) return t("station.waiting.within", { minutes: to });
  return from === to
    ? t("station.waiting.about", { minutes: to })
    : t("station.waiting.between", { from, to });
}
