/** The resident's page: what is to be seen follows from the service's state first, then from where the resident is. */

import { forget, identity } from "../kit/device.js";
import { html, now, render, signal, useSignalEffect } from "../kit/ui.js";
import { language, loadTexts, pick, t } from "../kit/text.js";
import { forgetCallback, shut } from "./callback.js";
import { loadCatalogue } from "./catalogue.js";
import { Idle } from "./idle.js";
import { Button, Foot, Title } from "./parts.js";
import { call, dismiss, link, live, offerCallback, place as placeCall, start, state, trouble } from "./session.js";
import { back, elder, go, home, place, visitor, wipe } from "./visit.js";
import { CallScreen } from "./screens/call.js";
import { Callback } from "./screens/callback.js";
import { Enrol, OutOfService } from "./screens/enrol.js";
import { Items, Search, Zones } from "./screens/find.js";
import { Consent, ItemScreen } from "./screens/item.js";
import { LinkBanner } from "./screens/notes.js";
import { Rating } from "./screens/rating.js";
import { Waiting } from "./screens/waiting.js";
import { Progress, Welcome } from "./screens/welcome.js";

/** @typedef {import("./catalogue.js").Catalogue} Catalogue */
/** @typedef {import("../kit/device.js").Identity} Identity */

const AGAIN_MS = 4_000;

/** @type {import("../../vendor/signals.js").Signal<Identity | null | undefined>} undefined: not looked up yet */
const who = signal(undefined);
/** @type {import("../../vendor/signals.js").Signal<Catalogue | null>} */
const catalogue = signal(null);

function App() {
  useSignalEffect(() => {
    document.documentElement.toggleAttribute("data-elder", elder.value);
  });
  useSignalEffect(() => {
    // A call that the resident took back is over at once; there is nothing to ask about it.
    if (call.value?.phase === "ended" && call.value.end_reason === "cancelled") void dismiss();
  });
  if (who.value === null) return html`<div class="frame"><${Frame} /><${Enrol} onEnrolled=${begin} /></div>`;
  if (link.value.state === "closed") {
    return html`<div class="frame"><${Frame} /><${OutOfService} code=${link.value.code} onEnrol=${enrolAgain} /></div>`;
  }
  if (!catalogue.value) return html`<div class="frame"><${Frame} /><${Starting} /></div>`;
  return html`<div class="frame" key=${visitor.value}>
    ${inCall() ? null : html`<${Frame} />`}
    <${LinkBanner} />
    <${Screen} catalogue=${catalogue.value} />
  </div>`;
}

function inCall() {
  return call.value?.phase === "active";
}

/** @param {{catalogue: Catalogue}} props */
function Screen({ catalogue: content }) {
  const now = call.value;
  const itemOf = (/** @type {string | undefined} */ id) => content.items.find((item) => item.id === id);
  if (now && live.value) {
    return inCall() ? html`<${CallScreen} call=${now} />` : html`<${Waiting} call=${now} item=${itemOf(now.item)} />`;
  }
  if (now && now.end_reason !== "cancelled") {
    return html`<${Rating} key=${now.id} call=${now} onHome=${leave} onAgain=${() => callAgain(now.item)} onCallback=${() => callBackLater(now.item)} />`;
  }
  if (shut.value) {
    const { item: wanted } = shut.value;
    return html`<${Callback} item=${wanted} onGuide=${() => readGuide(wanted)} onHome=${leave} /><${Idle} onGone=${leave} />`;
  }
  const { screen, zone, item } = place.value;
  const found = itemOf(item);
  const body = {
    welcome: () => html`<${Welcome} catalogue=${content} />`,
    zones: () => html`<${Zones} key="zones" catalogue=${content} helping=${false} />`,
    help: () => html`<${Zones} key="help" catalogue=${content} helping />`,
    items: () => html`<${Items} catalogue=${content} zone=${zone} />`,
    search: () => html`<${Search} catalogue=${content} />`,
    item: () => found && html`<${ItemScreen} key=${`${item} ${language.value} ${elder.value}`} item=${found} />`,
    consent: () => found && html`<${Consent} item=${found} />`,
    progress: () => html`<${Progress} />`,
  }[screen]();
  return html`${body}${screen === "welcome" || screen === "consent" ? null : html`<${Foot} onBack=${stepBack} />`}
    <${Idle} onGone=${leave} />`;
}

function stepBack() {
  trouble.value = null;
  back();
}

/** @param {string} item */
async function callBackLater(item) {
  await dismiss();
  offerCallback(item, "unanswered");
}

/** @param {string} item */
function readGuide(item) {
  forgetCallback();
  home();
  go({ screen: "item", item });
}

function leave() {
  trouble.value = null;
  forgetCallback();
  void dismiss();
  wipe();
}

/** @param {string} item */
async function callAgain(item) {
  await dismiss();
  home();
  go({ screen: "item", item });
  go({ screen: "consent", item });
  await placeCall(item);
}

/** The head of every screen but the call: where one is, what time it is, language and large type. */
function Frame() {
  const name = state.value?.name ?? who.value?.name;
  return html`<header class="head">
    <div class="where"><strong>${catalogue.value ? pick(catalogue.value.hall.name) : t("common.product")}</strong>
      ${name && html`<span>${pick(name)}</span>`}</div>
    <${Clock} />
    <div class="ease">
      <${Button} icon="text-larger" pressed=${elder.value} onPress=${() => { elder.value = !elder.value; }}>
        ${elder.value ? t("station.frame.smaller") : t("station.frame.larger")}<//>
      <${Button} icon="language" onPress=${() => { language.value = language.value === "zh" ? "en" : "zh"; }}>
        ${t("common.language_other")}<//>
    </div>
  </header>`;
}

function Clock() {
  const at = new Date(now.value);
  const tag = language.value === "zh" ? "zh-CN" : "en-GB";
  return html`<time class="clock"><strong>${at.toLocaleTimeString(tag, { hour: "2-digit", minute: "2-digit" })}</strong>
    <span>${at.toLocaleDateString(tag, { month: "long", day: "numeric", weekday: "long" })}</span></time>`;
}

function Starting() {
  return html`<main class="screen middle"><${Title}>${t("station.starting")}<//>
    <p class="lead">${t("station.starting_more")}</p></main>`;
}

async function enrolAgain() {
  await forget();
  location.reload();
}

async function begin() {
  who.value = await identity();
  if (!who.value) return;
  start();
  await fill(who.value.station);
}

/** @param {string} station */
async function fill(station) {
  try {
    catalogue.value = await loadCatalogue(station);
  } catch {
    setTimeout(() => void fill(station), AGAIN_MS);
  }
}

// A kiosk: a long press is a press.
addEventListener("contextmenu", (event) => event.preventDefault());
await loadTexts(["common", "station"]);
render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
await begin();
