/** Nobody can answer now, said at once: take a time to be called back, or read the guide. */

import { Icon, html, useState } from "../../kit/ui.js";
import { language, t } from "../../kit/text.js";
import { days, shut, slots, taken, ticket } from "../callback.js";
import { Keypad } from "../keyboard.js";
import { Button, Note, Paged, Title } from "../parts.js";
import { askSlots, book } from "../session.js";

/** @typedef {import("../../kit/messages.js").Booked} Booked */
/** @typedef {import("../callback.js").Day} Day */

const A_SCREEN = 9; // never more things than this
const PHONE = { least: 6, most: 15 };

/** @param {{item: string, onGuide: () => void, onHome: () => void}} props */
export function Callback({ item, onGuide, onHome }) {
  const [choosing, choose] = useState(false);
  if (ticket.value) return html`<${Ticket} booked=${ticket.value} onHome=${onHome} />`;
  if (choosing) return html`<${Choose} item=${item} onBack=${() => choose(false)} />`;
  const start = () => {
    askSlots(item);
    choose(true);
  };
  return html`<main class="screen middle shut">
    <${Icon} name="clock" />
    <${Title}>${said()}<//>
    <p class="lead">${more()}</p>
    <div class="choices">
      <${Button} kind="primary" icon="phone" onPress=${start}>${t("station.callback.offer")}<//>
      <${Button} icon="steps" onPress=${onGuide}>${t("station.callback.guide")}<//>
    </div>
    <${Button} kind="act" icon="home" onPress=${onHome}>${t("common.home")}<//>
  </main>`;
}

function said() {
  return {
    closed: t("station.shut.closed"),
    nobody: t("station.shut.nobody"),
    queue_full: t("station.shut.queue_full"),
    unanswered: t("station.shut.unanswered"),
  }[shut.value?.why ?? "nobody"];
}

function more() {
  const opens = slots.value?.opens_at ?? null;
  if (shut.value?.why === "closed" && opens !== null) return t("station.shut.opens", { when: moment(opens) });
  return t("station.shut.more");
}

/** @param {{item: string, onBack: () => void}} props */
function Choose({ item, onBack }) {
  const [day, pick] = useState(0);
  const [at, take] = useState(/** @type {number | null} */ (null));
  if (at !== null && !taken.value) return html`<${Confirm} item=${item} at=${at} onBack=${() => take(null)} />`;
  const shown = days.value[Math.min(day, days.value.length - 1)];
  return html`<main class="screen callback">
    <${Title}>${t("station.callback.when")}<//>
    ${taken.value && html`<${Note} icon="warning" tone="warn">${t("station.callback.taken")}<//>`}
    ${slots.value === null && html`<p class="lead" role="status">${t("station.callback.looking")}</p>`}
    ${slots.value !== null && shown === undefined && html`<p class="lead" role="status">${t("station.callback.none")}</p>`}
    ${shown && html`<div class="days" role="group" aria-label=${t("station.callback.day")}>
      ${days.value.map((one, n) => html`<${Button} key=${one.key} pressed=${one === shown} onPress=${() => pick(n)}>${date(one.at)}<//>`)}
    </div>
    <${Paged} key=${shown.key} things=${shown.slots} size=${A_SCREEN} kind="slots" draw=${(/** @type {Day["slots"][number]} */ slot) =>
      html`<${Button} icon="clock" onPress=${() => { taken.value = false; take(slot.at); }}>${time(slot.at)}<//>`} />`}
    <${Button} kind="act" icon="back" onPress=${onBack}>${t("common.back")}<//>
  </main>`;
}

/** @param {{item: string, at: number, onBack: () => void}} props */
function Confirm({ item, at, onBack }) {
  const [phone, type] = useState("");
  const short = phone.length > 0 && phone.length < PHONE.least;
  return html`<main class="screen callback confirm">
    <${Title}>${moment(at)}<//>
    <p class="lead">${t("station.callback.phone")}</p>
    <p class="typed" aria-live="polite">${phone || t("station.callback.no_phone")}</p>
    <${Keypad} value=${phone} most=${PHONE.most} onType=${type} />
    <div class="choices">
      <${Button} kind="primary" icon="check" disabled=${short} onPress=${() => book(item, at, phone || null)}>
        ${phone ? t("station.callback.take_phone") : t("station.callback.take")}<//>
      <${Button} icon="back" onPress=${onBack}>${t("station.callback.other")}<//>
    </div>
  </main>`;
}

/** @param {{booked: Booked, onHome: () => void}} props */
function Ticket({ booked, onHome }) {
  return html`<main class="screen middle ticket">
    <${Icon} name="success" />
    <${Title}>${t("station.callback.booked", { when: moment(booked.at) })}<//>
    <p class="code" aria-label=${t("station.callback.code")}>${booked.code.slice(0, 3)} ${booked.code.slice(3)}</p>
    <p class="lead">${booked.phone === null ? t("station.callback.come") : t("station.callback.we_call", { phone: booked.phone })}</p>
    <p class="lead">${t("station.callback.note_it")}</p>
    <${Button} kind="primary act" icon="home" onPress=${onHome}>${t("station.callback.noted")}<//>
  </main>`;
}

const tag = () => (language.value === "zh" ? "zh-CN" : "en-GB");
/** @param {number} at */
const time = (at) => new Date(at).toLocaleTimeString(tag(), { hour: "2-digit", minute: "2-digit" });
/** @param {number} at */
const date = (at) => new Date(at).toLocaleDateString(tag(), { month: "long", day: "numeric", weekday: "short" });
/** @param {number} at */
const moment = (at) => `${date(at)} ${time(at)}`;
