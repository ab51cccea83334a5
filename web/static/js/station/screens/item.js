/** One item answered at a glance: what to bring, how, how long; and the consent before the call. */

import { Icon, html, useLayoutEffect, useRef, useState } from "../../kit/ui.js";
import { pick, t } from "../../kit/text.js";
import { Button, Dialog, Note, Title } from "../parts.js";
import { asking, link, place as placeCall, trouble } from "../session.js";
import { Keypad } from "../keyboard.js";
import { back, elder, go } from "../visit.js";

/** @typedef {import("../catalogue.js").Item} Item */
/** @typedef {import("../../kit/messages.js").Material} Material */
/** @typedef {"bring" | "how" | "long"} Question */

const QUESTIONS = /** @type {const} */ (["bring", "how", "long"]);
const CODE_DIGITS = 6;
const ICONS = { bring: "files", how: "steps", long: "clock" };

/** All three questions at once where there is room, one at a time where there is not. @param {{item: Item}} props */
export function ItemScreen({ item }) {
  const [tabbed, tab] = useState(elder.value);
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useLayoutEffect(() => {
    if (overflows(ref.current?.querySelector(".guide"))) tab(true);
  }, []);
  return html`<main ref=${ref} class="screen item">
    <${Title}>${pick(item.name)}<//>
    <div class="summary"><p class="lead">${pick(item.summary)}</p>${item.video && html`<${Film} file=${item.video} />`}</div>
    <${Guide} item=${item} tabbed=${tabbed} />
    <button type="button" class="button primary act" onClick=${() => go({ screen: "consent", item: item.id })}>
      <${Icon} name="video" /><span>${t("station.item.call")}</span>
    </button>
  </main>`;
}

/** @param {Element | null | undefined} guide */
function overflows(guide) {
  if (!guide) return false;
  return [guide, ...guide.children].some((box) => box.scrollHeight > box.clientHeight + 2);
}

/** The three questions; with `tabbed` one at a time. @param {{item: Item, tabbed: boolean}} props */
export function Guide({ item, tabbed }) {
  const [chosen, choose] = useState(/** @type {Question} */ ("bring"));
  if (!tabbed) return html`<div class="guide">${QUESTIONS.map((question) => section(item, question))}</div>`;
  return html`<div class="guide tabbed">
    <div class="tabs" role="group" aria-label=${t("station.item.guide")}>
      ${QUESTIONS.map(
        (question) => html`<${Button} icon=${ICONS[question]} pressed=${question === chosen} onPress=${() => choose(question)}>
          ${asked(question)}<//>`,
      )}
    </div>
    ${section(item, chosen)}
  </div>`;
}

/** @param {Question} question */
function asked(question) {
  return { bring: t("station.item.bring"), how: t("station.item.how"), long: t("station.item.long") }[question];
}

/** @param {Item} item @param {Question} question */
function section(item, question) {
  const bodies = { bring: () => bring(item), how: () => how(item), long: () => long(item) };
  return html`<section class="card ${question}" tabindex="0" aria-label=${asked(question)}>
    <h2><${Icon} name=${ICONS[question]} />${asked(question)}</h2>
    ${bodies[question]()}
  </section>`;
}

/** @param {Item} item */
function bring(item) {
  if (item.materials.length === 0) return html`<p>${t("station.item.nothing")}</p>`;
  return html`<ul class="materials">${item.materials.map(
    (material) => html`<li><${Icon} name="check" /><span>${pick(material.name)}
      <span class="form">${form(material)}</span>
      ${material.note && html`<span class="more">${pick(material.note)}</span>`}</span></li>`,
  )}</ul>`;
}

/** @param {Material} material */
function form(material) {
  return {
    original: t("station.form.original"),
    copy: t("station.form.copy"),
    original_and_copy: t("station.form.original_and_copy"),
    filled_form: t("station.form.filled_form"),
  }[material.form];
}

/** @param {Item} item */
function how(item) {
  return html`<ol class="steps">${item.steps.map((step) => html`<li>${pick(step)}</li>`)}</ol>`;
}

/** The how-to video: one tap away, then as large as the screen allows. @param {{file: string}} props */
function Film({ file }) {
  const [open, show] = useState(false);
  return html`<${Button} icon="play" onPress=${() => show(true)}>${t("station.item.film")}<//>
    ${open && html`<${Dialog} title=${t("station.item.film")} kind="film">
      <video controls autoplay playsinline src=${`/content/media/${file}`} aria-label=${t("station.item.film")}></video>
      <${Button} kind="primary" icon="check" onPress=${() => show(false)}>${t("station.item.film_close")}<//>
    <//>`}`;
}

/** @param {Item} item */
function long(item) {
  return html`<p class="fact"><${Icon} name="clock" />${pick(item.duration)}</p>
    <p class="fact"><${Icon} name="money" />${pick(item.fee)}</p>`;
}

/** @param {{item: Item}} props */
export function Consent({ item }) {
  const [first, goFirst] = useState(elder.value);
  const [signs, sign] = useState(false);
  const [booked, type] = useState(/** @type {string | null} */ (null));
  const wish = { elder: first, sign_language: signs, appointment: booked || null };
  const ready = link.value.state === "open" && !asking.value;
  const leave = () => {
    trouble.value = null;
    back();
  };
  return html`<main class="screen consent">
    <div class="asked">
      <p class="about">${t("station.consent.about", { item: pick(item.name) })}</p>
      <${Title}>${t("station.consent.sentence")}<//>
      <p class="lead">${t("station.consent.after")}</p>
    </div>
    ${trouble.value && html`<${Note} icon="warning" tone="warn">${pick(trouble.value)}<//>`}
    <div class="wishes" role="group" aria-label=${t("station.consent.wishes")}>
      <${Button} icon=${first ? "check" : "heart"} pressed=${first} onPress=${() => goFirst(!first)}>${t("station.consent.elder")}<//>
      <${Button} icon=${signs ? "check" : "users"} pressed=${signs} onPress=${() => sign(!signs)}>${t("station.consent.signs")}<//>
      <${Button} icon=${booked !== null ? "check" : "calendar"} pressed=${booked !== null} onPress=${() => type(booked === null ? "" : null)}>${t("station.consent.booked")}<//>
    </div>
    ${booked !== null && html`<p class="typed" aria-live="polite">${booked || t("station.consent.code")}</p>
      <${Keypad} value=${booked} most=${CODE_DIGITS} onType=${type} />`}
    <div class="choices">
      <${Button} kind="primary" icon="video" disabled=${!ready || (booked !== null && booked.length !== CODE_DIGITS)} onPress=${() => placeCall(item.id, wish)}>
        ${asking.value ? t("station.consent.calling") : t("station.consent.agree")}<//>
      <${Button} icon="back" onPress=${leave}>${t("common.back")}<//>
    </div>
  </main>`;
}
