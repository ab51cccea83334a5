/** The call: the other's picture is everything, and gives way to a form when one is shared. */

import { Picture, Sound, html, minutes, now, useEffect, useState } from "../../kit/ui.js";
import { pick, t } from "../../kit/text.js";
import { Button, Dialog, Title } from "../parts.js";
import { hangUp, muted, own, remote, serverNow, toggleMute } from "../session.js";
import { elder } from "../visit.js";
import { CallNotes } from "./notes.js";
import { CompanyNews, nameOf, present } from "./people.js";

/** @typedef {import("../../kit/messages.js").StationCall} StationCall */
/** @typedef {import("../../kit/messages.js").SlotView} SlotView */

/** Long enough to read the question, short enough that a stray touch does not stand in the way. */
const ASK_MS = 10_000;

/** @param {{call: StationCall}} props */
export function CallScreen({ call }) {
  const owner = present(call).find((person) => person.owner)?.participant;
  const place = (/** @type {SlotView} */ slot) => Number(slot.participant !== owner);
  const of = (/** @type {string} */ source) =>
    call.slots.filter((slot) => slot.source === source).sort((a, b) => place(a) - place(b));
  const share = call.sharing ? of("share")[0] : undefined;
  const [asking, ask] = useState(false);
  return html`<main class="stage ${share ? "sharing" : ""}">
    <${Title} quiet>${t("station.call.title")}<//>
    ${share && html`<div class="sheet"><${Picture} track=${remote(share.mid)} label=${t("station.call.form")} class="whole" /></div>`}
    <div class=${`faces of-${Math.max(1, of("camera").length)}`}>${of("camera").map((slot) => html`<${Face} key=${slot.mid} slot=${slot} call=${call} />`)}
      ${of("camera").length === 0 && !call.on_hold && html`<div class="face"><p class="no-picture">${t("station.call.picture_soon")}</p></div>`}
    </div>
    ${of("mic").map((slot) => html`<${Sound} key=${slot.mid} track=${remote(slot.mid)} />`)}
    ${own.value.camera && html`<div class="own"><${Picture} track=${own.value.camera} label=${t("station.call.own")} mirrored /></div>`}
    <${Card} call=${call} />
    <div class="call-notes"><${CompanyNews} call=${call} /><${CallNotes} call=${call} /></div>
    ${call.on_hold && html`<${Held} />`}
    <${Controls} onEnd=${() => ask(true)} />
    ${asking && html`<${EndQuestion} onStay=${() => ask(false)} />`}
  </main>`;
}

/** @param {{slot: SlotView, call: StationCall}} props */
function Face({ slot, call }) {
  const track = remote(slot.mid);
  const person = present(call).find((one) => one.participant === slot.participant);
  const name = person ? nameOf(person) : slot.role === "agent" && call.agent ? pick(call.agent.name) : t("station.call.other");
  const off = person ? !person.camera : slot.role === "agent" && !call.agent_camera;
  const several = present(call).length > 1;
  const missing = off ? "station.call.agent_camera_off" : track?.muted !== false ? "station.call.picture_soon" : null;
  return html`<div class="face">
    <${Picture} track=${track} label=${name} />
    ${missing && html`<p class="no-picture">${t(missing)}</p>`}
    ${several && html`<p class="caption">${name}</p>`}
  </div>`;
}

/** On hold: nobody sees or hears the resident, nor the other way. */
function Held() {
  const [since] = useState(Date.now());
  void now.value;
  return html`<div class="held" role="status">
    <p class="title">${t("station.call.held")}</p>
    <p class="lead">${t("station.call.held_more")}</p>
    <p class="time">${minutes(Date.now() - since)}</p>
  </div>`;
}

/** Who one is talking to, and for how long. @param {{call: StationCall}} props */
function Card({ call }) {
  void now.value;
  return html`<div class="who">
    ${call.agent &&
    html`<p><strong>${pick(call.agent.name)}</strong><span>${pick(call.agent.department)}</span>
      <span>${t("station.call.badge", { badge: call.agent.badge })}</span></p>`}
    <p class="recording"><span class="dot" />${t("station.call.recording")}
      ${call.answered_at !== null && html`<span class="time">${minutes(serverNow() - call.answered_at)}</span>`}</p>
  </div>`;
}

/** @param {{onEnd: () => void}} props */
function Controls({ onEnd }) {
  return html`<div class="controls" role="group" aria-label=${t("station.call.controls")}>
    <${Button} icon=${muted.value ? "mic-off" : "mic"} pressed=${muted.value} onPress=${toggleMute}>
      ${muted.value ? t("station.call.unmute") : t("station.call.mute")}<//>
    <${Button} icon="text-larger" pressed=${elder.value} onPress=${() => { elder.value = !elder.value; }}>
      ${elder.value ? t("station.frame.smaller") : t("station.frame.larger")}<//>
    <${Button} kind="end" icon="phone-end" onPress=${onEnd}>${t("station.call.end")}<//>
  </div>`;
}

/**
 * A stray touch must not throw somebody out who waited for half an hour, so ending asks once; unanswered, the
 * question goes away and the call goes on.
 * @param {{onStay: () => void}} props
 */
function EndQuestion({ onStay }) {
  useEffect(() => {
    const timer = setTimeout(onStay, ASK_MS);
    return () => clearTimeout(timer);
  }, []);
  const end = () => {
    onStay();
    void hangUp();
  };
  return html`<${Dialog} title=${t("station.call.end_question")}>
    <${Button} kind="primary" icon="video" onPress=${onStay}>${t("station.call.stay")}<//>
    <${Button} kind="end" icon="phone-end" onPress=${end}>${t("station.call.end")}<//>
  <//>`;
}
