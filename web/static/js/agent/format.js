/** Times in words and figures. */

import { language, t } from "./text.js";

/** @param {number} ms a duration @returns {string} "03:25", or "1:03:25" from an hour on */
export function clock(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  const two = (/** @type {number} */ part) => String(part).padStart(2, "0");
  const tail = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  return s < 3600 ? tail : `${Math.floor(s / 3600)}:${tail}`;
}

/** @param {number} ms a duration @returns {string} "2 分 5 秒" */
export function words(ms) {
  const s = Math.max(0, Math.floor(ms / 1000));
  if (s < 60) return t("time.s", { s });
  if (s < 3600) return t("time.m", { m: Math.floor(s / 60), s: s % 60 });
  return t("time.h", { h: Math.floor(s / 3600), m: Math.floor(s / 60) % 60 });
}

/** @param {number} at Unix ms @returns {string} "10:32:05" on this machine's clock */
export function timeOfDay(at) {
  return new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en-GB", {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  }).format(at);
}
