// The call that this page supervises: its pictures, what the supervisor does, and what it can do next.

import { pick, t } from "../kit/text.js";
import { html, Icon, Picture, Sound, useState } from "../kit/ui.js";
import { clock } from "./timeline.js";

/** @typedef {import("../kit/messages.js").ManagerCall} ManagerCall */
/** @typedef {import("../kit/messages.js").Supervision} Mode */
/** @typedef {import("../kit/messages.js").SlotView} SlotView */
/** @typedef {import("./supervision.js").Supervising} Supervising */
/** @typedef {{call: ManagerCall, supervising: Supervising, now: number, trouble: string | null, act: (work: Promise<unknown>) => void}} Props */

/** @type {readonly Mode[]} */
const MODES = ["listen", "whisper", "barge"];
const MODE_ICONS = { listen: "headset", whisper: "message", barge: "users" };
const OUTCOMES = /** @type {const} */ (["resolved", "guided", "materials_missing", "referred", "not_possible", "cut_off", "other"]);

/** @param {Props} props */
export function SupervisionPanel(props) {
  const { call, now, trouble } = props;
  const lasted = call.answered_at === null ? "—" : clock(Math.max(0, ((call.ended_at ?? now) - call.answered_at) / 1000));
  return html`<section class="supervision" data-mode=${call.mode ?? "owner"} aria-label=${t("manager.supervise.title")}>
    <header>
      <h2>${t("manager.supervise.title")} <small>${t(`manager.supervise.now.${call.mode ?? "owner"}`)} · ${lasted}</small></h2>
    </header>
    ${trouble !== null && html`<p class="warning" role="status"><${Icon} name="warning" />${t(`manager.supervise.${trouble}`)}</p>`}
    ${call.resident_away && html`<p class="warning" role="status"><${Icon} name="no-network" />${t("manager.supervise.resident_away")}</p>`}
    ${call.on_hold && html`<p class="warning" role="status"><${Icon} name="pause" />${t("manager.supervise.on_hold")}</p>`}
    ${call.phase === "ended" ? html`<${Over} ...${props} />` : html`<${Pictures} ...${props} /><${Acts} ...${props} />`}
  </section>`;
}

/** @param {Props} props */
function Pictures({ call, supervising }) {
  const seen = call.slots.filter(({ source }) => source !== "mic");
  const heard = call.slots.filter(({ source }) => source === "mic");
  return html`<div class="supervised-pictures">
    ${seen.map((slot) => html`<figure key=${slot.mid} data-role=${slot.role} data-source=${slot.source}>
      <${Picture} track=${supervising.remote(slot.mid)} label=${nameOf(call, slot)} />
      <figcaption>${nameOf(call, slot)}</figcaption>
    </figure>`)}
    ${supervising.camera !== null &&
    html`<figure data-role="me"><${Picture} track=${supervising.camera} label=${t("manager.supervise.me")} mirrored=${true} /><figcaption>${t("manager.supervise.me")}</figcaption></figure>`}
    ${heard.map((slot) => html`<${Sound} key=${slot.mid} track=${supervising.remote(slot.mid)} />`)}
    ${!call.connected && html`<p class="supervised-connecting" role="status">${t("manager.supervise.connecting")}</p>`}
  </div>`;
}

/** @param {ManagerCall} call @param {SlotView} slot */
function nameOf(call, { participant, role, source }) {
  const person = call.people.find((one) => one.participant === participant);
  const name = person === undefined ? t(`manager.role.${role}`) : `${t(`manager.role.${role}`)} · ${pick(person.name)}`;
  return source === "share" ? `${name} · ${t("manager.kind.share")}` : name;
}

/** @param {Props} props */
function Acts({ call, supervising, act }) {
  const [sure, setSure] = useState(false);
  if (call.owner) {
    return html`<div class="supervision-acts">
      <button class="danger" onClick=${() => act(supervising.hangUp(call.id))}><${Icon} name="phone-end" />${t("manager.supervise.hang_up")}</button>
    </div>`;
  }
  return html`<div class="supervision-acts">
    <div role="group" aria-label=${t("manager.supervise.modes")}>
      ${MODES.map((mode) => html`<button key=${mode} class=${call.mode === mode ? "" : "secondary outline"} aria-pressed=${call.mode === mode}
        title=${t(`manager.supervise.hint.${mode}`)} onClick=${() => act(supervising.begin(call.id, mode))}>
        <${Icon} name=${MODE_ICONS[mode]} />${t(`manager.supervise.${mode}`)}</button>`)}
    </div>
    ${sure
      ? html`<p class="sure-line" role="alertdialog" aria-label=${t("manager.supervise.take_over")}>${t("manager.supervise.take_over_hint")}
          <button class="danger" onClick=${() => act(supervising.takeOver(call.id))}>${t("manager.supervise.take_over_now")}</button>
          <button class="secondary outline" onClick=${() => setSure(false)}>${t("manager.supervise.take_over_not")}</button></p>`
      : html`<button class="secondary outline" onClick=${() => setSure(true)}>${t("manager.supervise.take_over")}</button>`}
    <button class="secondary" onClick=${() => act(supervising.stop(call.id))}><${Icon} name="close" />${t("manager.supervise.stop")}</button>
  </div>`;
}

/** A call that was taken over is over: what came of it. @param {Props} props */
function Over({ call, supervising, act }) {
  return html`<div class="supervision-acts">
    <p>${t("manager.supervise.over")}</p>
    <div role="group" class="outcomes">
      ${OUTCOMES.map((outcome) => html`<button key=${outcome} class=${call.outcome === outcome ? "" : "secondary outline"} aria-pressed=${call.outcome === outcome}
        onClick=${() => act(supervising.wrapUp(call.id, outcome))}>${t(`manager.outcome.${outcome}`)}</button>`)}
    </div>
    <button class="secondary" onClick=${() => act(supervising.stop(call.id))}>${t("manager.supervise.done")}</button>
  </div>`;
}

/** In a row of the list of calls. @param {{call: string, mine: ManagerCall | null, supervised: boolean, supervising: Supervising, act: Props["act"]}} props */
export function ListenButton({ call, mine, supervised, supervising, act }) {
  if (mine?.id === call) return html`<span class="tag">${t(`manager.supervise.now.${mine.mode ?? "owner"}`)}</span>`;
  if (supervised) return html`<span class="tag">${t("manager.supervise.by_another")}</span>`;
  const busy = mine !== null && mine.phase !== "ended";
  return html`<button class="secondary outline small" disabled=${busy} onClick=${() => act(supervising.begin(call, "listen"))}>
    <${Icon} name="headset" />${t("manager.supervise.listen")}</button>`;
}
