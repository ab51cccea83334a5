/** What this resident is doing at the station: where they are, how large they want it, and the wiping of all that. */

import { batch, computed, signal } from "../kit/ui.js";
import { language } from "../kit/text.js";

/** @typedef {"welcome" | "zones" | "items" | "search" | "item" | "consent" | "progress" | "help"} ScreenName */
/** @typedef {{screen: ScreenName, zone?: string, item?: string, helping?: boolean}} Place `helping`: to a person, without the guide */

/** @type {Place} */
const START = { screen: "welcome" };

/** @type {import("../../vendor/signals.js").Signal<Place[]>} */
const trail = signal([START]);
export const place = computed(() => /** @type {Place} */ (trail.value.at(-1)));
export const elder = signal(false);
export const typed = signal("");
/** Grows with every wipe: screens keyed by it forget what they held. */
export const visitor = signal(0);

/** @param {Place} next */
export function go(next) {
  trail.value = [...trail.value, next];
}

export function back() {
  if (trail.value.length > 1) trail.value = trail.value.slice(0, -1);
}

export function home() {
  batch(() => {
    trail.value = [START];
    typed.value = "";
  });
}

/** Nothing of this resident stays in the page. */
export function wipe() {
  batch(() => {
    home();
    elder.value = false;
    language.value = "zh";
    visitor.value += 1;
  });
  scrollTo(0, 0);
}

/** Whether there is anything that a wipe would take away. */
export function untouched() {
  return place.value.screen === "welcome" && !elder.value && language.value === "zh";
}
