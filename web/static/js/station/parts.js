/** The pieces that the screens are put together from. */

import { Icon, html, useEffect, useRef, useState } from "../kit/ui.js";
import { t } from "../kit/text.js";
import { back, home } from "./visit.js";

/** The heading of a screen takes the focus, so that a screen reader says where one has come. @param {any} props */
export function Title({ children, quiet = false }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => ref.current?.focus({ preventScroll: true }), []);
  return html`<h1 ref=${ref} tabindex="-1" class=${quiet ? "visually-hidden" : "title"}>${children}</h1>`;
}

/** @param {{icon?: string, kind?: string, onPress: () => void, children?: any, pressed?: boolean, label?: string, disabled?: boolean}} props */
export function Button({ icon, kind = "", onPress, children, pressed, label, disabled = false }) {
  return html`<button type="button" class="button ${kind}" onClick=${onPress} aria-pressed=${pressed}
    aria-label=${label} disabled=${disabled}>
    ${icon && html`<${Icon} name=${icon} />`}<span>${children}</span></button>`;
}

/** The foot of a screen: the way back on the left, the next step on the right. @param {{children?: any, onBack?: () => void}} props */
export function Foot({ children, onBack = back }) {
  return html`<nav class="foot" aria-label=${t("station.nav")}>
    <${Button} icon="back" onPress=${onBack}>${t("common.back")}<//>
    <${Button} icon="home" onPress=${home}>${t("common.home")}<//>
    ${children}
  </nav>`;
}

/**
 * A list, never longer than a page.
 * @param {{things: any[], size: number, draw: (thing: any) => any, kind: string}} props
 */
export function Paged({ things, size, draw, kind }) {
  const [page, turn] = useState(0);
  const pages = Math.max(1, Math.ceil(things.length / size));
  const shown = Math.min(page, pages - 1);
  return html`<div class="paged">
    <ul class=${kind}>${things.slice(shown * size, (shown + 1) * size).map((thing) => html`<li>${draw(thing)}</li>`)}</ul>
    ${pages > 1 &&
    html`<div class="pager">
      <${Button} icon="left" onPress=${() => turn(shown - 1)} disabled=${shown === 0}>${t("station.page.before")}<//>
      <span role="status">${t("station.page.of", { page: shown + 1, pages })}</span>
      <${Button} icon="right" onPress=${() => turn(shown + 1)} disabled=${shown === pages - 1}>
        ${t("station.page.after")}<//>
    </div>`}
  </div>`;
}

/** A question over everything else, with the calm answer first. @param {{title: string, kind?: string, children?: any}} props */
export function Dialog({ title, kind = "", children }) {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => ref.current?.showModal(), []);
  return html`<dialog ref=${ref} class="dialog ${kind}" aria-label=${title} onCancel=${(/** @type {Event} */ e) => e.preventDefault()}>
    <p class="question">${title}</p>
    <div class="choices">${children}</div>
  </dialog>`;
}

/** Something to be known, in words and with a sign. @param {{icon: string, tone: "info" | "warn", children?: any}} props */
export function Note({ icon, tone, children }) {
  return html`<p class="note ${tone}" role="status"><${Icon} name=${icon} /><span>${children}</span></p>`;
}
