/** Between the tap and the answer: one's place, what comes next, one's own picture, the guide. */

import { Picture, html } from "../../kit/ui.js";
import { t } from "../../kit/text.js";
import { Button, Note, Title } from "../parts.js";
import { cancel, faults, own } from "../session.js";
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
    <${DeviceNotes} />
    ${item && html`<${Guide} item=${item} tabbed />`}
    <${Button} kind="act" icon="close" onPress=${cancel}>${t("station.waiting.cancel")}<//>
  </main>`;
}

/** @param {StationCall} call */
function standing(call) {
  if (call.phase === "connecting") return html`<${Title}>${t("station.waiting.answered")}<//>`;
  if (call.held_up) {
    return html`<${Title}>${t("station.waiting.held_up")}<//>
      <${Note} icon="clock" tone="warn">${t("station.waiting.held_up_more")}<//>`;
  }
  if (call.on_duty === 0) {
    return html`<${Title}>${t("station.waiting.nobody")}<//>
      <${Note} icon="clock" tone="warn">${t("station.waiting.nobody_more")}<//>`;
  }
  if (call.ringing) {
    return html`<${Title}>${t("station.waiting.ringing")}<//><p class="next">${t("station.waiting.ringing_more")}</p>`;
  }
  return html`<${Title}>${call.ahead === 0 ? t("station.waiting.next") : t("station.waiting.ahead")}<//>
    ${call.ahead > 0 && html`<p class="ordinal">${t("station.waiting.number", { ahead: call.ahead })}</p>`}
    ${call.estimate_s && html`<p class="estimate">${estimate(call.estimate_s)}</p>`}
    <p class="next">${t("station.waiting.then")}</p>`;
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
