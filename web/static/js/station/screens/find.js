/** From "what is it about" to one item: zones, the items of a zone, and the search. */

import { Icon, html, useEffect, useRef } from "../../kit/ui.js";
import { language, pick, t } from "../../kit/text.js";
import { enquiryOf, itemsOf, search } from "../catalogue.js";
import { Keyboard } from "../keyboard.js";
import { Button, Paged, Title } from "../parts.js";
import { elder, go, place, typed } from "../visit.js";

/** @typedef {import("../catalogue.js").Catalogue} Catalogue */
/** @typedef {import("../catalogue.js").Item} Item */

/** @param {{catalogue: Catalogue, helping: boolean}} props */
export function Zones({ catalogue, helping }) {
  return html`<main class="screen">
    <${Title}>${helping ? t("station.help.title") : t("station.find.title")}<//>
    <ul class="tiles">
      ${catalogue.zones.map(
        (zone) => html`<li><button type="button" class="tile" 
          onClick=${() => go({ screen: "items", zone: zone.id, helping })}>
          <${Icon} name=${zone.icon} />
          <strong>${pick(zone.name)}</strong><span class="more">${pick(zone.summary)}</span>
        </button></li>`,
      )}
      <li><button type="button" class="tile seek" onClick=${() => go({ screen: "search", helping })}>
        <${Icon} name="search" /><strong>${t("station.find.search")}</strong>
        <span class="more">${t("station.find.search_more")}</span>
      </button></li>
    </ul>
  </main>`;
}

/** @param {{catalogue: Catalogue, zone: string}} props */
export function Items({ catalogue, zone }) {
  const found = catalogue.zones.find((one) => one.id === zone);
  const enquiry = enquiryOf(catalogue, zone);
  const items = itemsOf(catalogue, zone).filter((item) => item !== enquiry);
  return html`<main class="screen">
    <${Title}>${t("station.items.title", { zone: found ? pick(found.name) : "" })}<//>
    <${Paged} things=${items} size=${elder.value ? 4 : 6} kind="rows" draw=${row} />
    ${enquiry &&
    html`<${Button} kind="unsure" icon="help-person" onPress=${() => go({ screen: "consent", item: enquiry.id })}>
      ${t("station.items.unsure")}<//>`}
  </main>`;
}

/** Who asked for a person goes straight to one. @param {Item} item */
function row(item) {
  const next = place.value.helping ? "consent" : "item";
  return html`<button type="button" class="row" onClick=${() => go({ screen: next, item: item.id })}>
    <span class="row-words"><strong>${pick(item.name)}</strong><span class="more">${pick(item.summary)}</span></span>
    <${Icon} name="right" />
  </button>`;
}

/** @param {{catalogue: Catalogue}} props */
export function Search({ catalogue }) {
  const found = search(catalogue, typed.value);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => field.current?.focus(), []);
  return html`<main class="screen search">
    <h1 class="title">${t("station.search.title")}</h1>
    <label class="field"><${Icon} name="search" />
      <input ref=${field} type="text" inputmode="none" autocomplete="off" spellcheck=${false} maxlength="40"
        aria-label=${t("station.search.label")} placeholder=${t("station.search.hint")} value=${typed.value}
        onInput=${(/** @type {any} */ event) => { typed.value = event.target.value; }} />
    </label>
    <div class="results" aria-live="polite">${results(found)}</div>
    <${Keyboard} value=${typed.value} most=${40} onType=${type} space=${language.value === "en"} />
  </main>`;
}

/** @param {string} text */
function type(text) {
  typed.value = text;
}

/** @param {Item[]} found */
function results(found) {
  if (!typed.value.trim()) return html`<p class="lead">${t("station.search.how")}</p>`;
  if (found.length === 0) {
    return html`<p class="lead">${t("station.search.nothing")}</p>
      <${Button} icon="help-person" onPress=${() => go({ screen: "help" })}>${t("station.search.ask")}<//>`;
  }
  return html`<${Paged} key=${typed.value} things=${found} size=${elder.value ? 3 : 4} kind="rows" draw=${row} />`;
}
