/** What every page draws with: preact through htm, signals, and the few parts that all pages share. */

import htm from "../../vendor/htm.js";
import { h } from "../../vendor/preact.js";
import { useEffect, useRef } from "../../vendor/preact-hooks.js";
import { signal } from "../../vendor/signals.js";

export { render } from "../../vendor/preact.js";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../vendor/preact-hooks.js";
export { batch, computed, effect, signal, useComputed, useSignal, useSignalEffect } from "../../vendor/signals.js";

/** @typedef {import("../../vendor/preact.js").VNode<any>} VNode */

/** @type {(strings: TemplateStringsArray, ...values: any[]) => VNode} */
export const html = /** @type {any} */ (htm.bind(/** @type {any} */ (h)));

/** Unix milliseconds of this machine, ticking every second. */
export const now = signal(Date.now());
setInterval(() => {
  now.value = Date.now();
}, 1000);

/**
 * Where the icons are: in their file, until the page has them in itself. A browser asks for the file again whenever an
 * icon appears, and would get nothing just when it is to say that the network is down.
 */
const icons = signal("/static/icons.svg#");

async function keepIcons() {
  const response = await fetch("/static/icons.svg");
  if (!response.ok) return;
  const parsed = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
  const kept = document.importNode(parsed.documentElement, true);
  kept.setAttribute("display", "none");
  for (const symbol of kept.children) symbol.id = `icon-${symbol.id}`;
  document.body.append(kept);
  icons.value = "#icon-";
}
keepIcons().catch(() => {}); // then they are asked for one by one

/** A picture beside a word. Alone it needs a label. @param {{name: string, label?: string}} props */
export function Icon({ name, label }) {
  return html`<svg class="icon" aria-hidden=${label ? undefined : "true"} role=${label ? "img" : undefined}
    aria-label=${label}><use href=${icons.value + name} /></svg>`;
}

/**
 * A moving picture. Sound is `Sound`'s: so a picture can be moved and replaced without a click in the ear.
 * @param {{track: MediaStreamTrack | null, label: string, mirrored?: boolean, class?: string}} props
 */
export function Picture({ track, label, mirrored = false, class: kind = "" }) {
  const ref = useTrack(track);
  return html`<video ref=${ref} class="picture ${mirrored ? "mirrored" : ""} ${kind}" aria-label=${label}
    autoplay muted playsinline disablepictureinpicture></video>`;
}

/** @param {{track: MediaStreamTrack | null}} props */
export function Sound({ track }) {
  return html`<audio ref=${useTrack(track)} autoplay></audio>`;
}

/** @param {MediaStreamTrack | null} track */
function useTrack(track) {
  const ref = useRef(/** @type {HTMLMediaElement | null} */ (null));
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    element.muted = element instanceof HTMLVideoElement; // the attribute alone does not count once it is set by script
    element.srcObject = track ? new MediaStream([track]) : null;
    if (track) element.play().catch(() => {}); // a picture that waits for a touch is not an error
    return () => {
      element.srcObject = null;
    };
  }, [track]);
  return ref;
}

/** Minutes and seconds. @param {number} ms */
export function minutes(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
