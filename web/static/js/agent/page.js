/** What the agent changes about the page itself: language, dark or light stage, the device check. */

import { signal } from "../../vendor/signals.js";
import { remember, remembered, wasChecked } from "./devices.js";
import { checking } from "./state.js";
import { language } from "./text.js";

const STAGE = "bangban.agent.stage";

/** @type {import("../../vendor/signals.js").Signal<"dark" | "light">} */
export const stage = signal(localStorage.getItem(STAGE) === "light" ? "light" : "dark");

export function switchStage() {
  stage.value = stage.value === "dark" ? "light" : "dark";
  localStorage.setItem(STAGE, stage.value);
}

/** At once here; the server keeps it in a cookie of its own for the next page that it writes. */
export function switchLanguage() {
  language.value = language.value === "zh" ? "en" : "zh";
  fetch(`/agent?lang=${language.value}`).catch(() => undefined); // forgotten by the next page, if that fails
}

export function openCheck() {
  checking.value = true;
}

/** Leaving counts as checked: it is offered by itself only once. */
export function leaveCheck() {
  if (!wasChecked()) remember(remembered());
  checking.value = false;
}
