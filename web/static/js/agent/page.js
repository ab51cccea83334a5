/** What the agent changes about the page itself: language, dark or light stage, the device check. */

import { signal } from "../../vendor/signals.js";
import { remember, remembered, wasChecked } from "./devices.js";
import { checking } from "./state.js";
import { language } from "./text.js";

const STAGE = "bangban.agent.stage";
const YEAR_S = 365 * 24 * 3600;

/** @type {import("../../vendor/signals.js").Signal<"dark" | "light">} */
export const stage = signal(localStorage.getItem(STAGE) === "light" ? "light" : "dark");

export function switchStage() {
  stage.value = stage.value === "dark" ? "light" : "dark";
  localStorage.setItem(STAGE, stage.value);
}

/** The cookie is for the pages that the server writes, sign-in above all. */
export function switchLanguage() {
  language.value = language.value === "zh" ? "en" : "zh";
  document.cookie = `lang=${language.value}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax`;
}

export function openCheck() {
  checking.value = true;
}

/** Leaving counts as checked: it is offered by itself only once. */
export function leaveCheck() {
  if (!wasChecked()) remember(remembered());
  checking.value = false;
}
