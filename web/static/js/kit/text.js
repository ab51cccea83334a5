/**
 * The words of a page: catalogues /static/text/<name>.<language>.json, one flat object of key to text each.
 * `t("station.welcome.find")` is the key `welcome.find` of the catalogue `station`; `{name}` in a text is a parameter.
 * Reading `language.value` (which `t` and `pick` do) makes a component redraw when the language changes.
 */

import { effect, signal } from "../../vendor/signals.js";

/** @typedef {"zh" | "en"} Language */

/** @type {readonly Language[]} */
export const LANGUAGES = ["zh", "en"];
const TAGS = { zh: "zh-CN", en: "en" };

/** @type {import("../../vendor/signals.js").Signal<Language>} */
export const language = signal(document.documentElement.lang.startsWith("en") ? "en" : "zh");

/** @type {Map<string, Record<string, string>>} by `<catalogue>.<language>` */
const catalogues = new Map();

effect(() => {
  document.documentElement.lang = TAGS[language.value];
});

/** Fetches catalogues in both languages, so that switching is instant. @param {ReadonlyArray<string>} names */
export async function loadTexts(names) {
  const wanted = names.flatMap((name) => LANGUAGES.map((lang) => `${name}.${lang}`));
  await Promise.all(
    wanted.map(async (file) => {
      const response = await fetch(`/static/text/${file}.json`);
      if (!response.ok) throw new Error(`${file}.json: ${response.status}`);
      catalogues.set(file, await response.json());
    }),
  );
}

/** @param {string} key @param {Record<string, string | number>} [params] @returns {string} */
export function t(key, params = {}) {
  const dot = key.indexOf(".");
  const text = catalogues.get(`${key.slice(0, dot)}.${language.value}`)?.[key.slice(dot + 1)];
  if (text === undefined) {
    console.error(`no text for ${key}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => String(params[name]));
}

/** A text that came with both languages. @param {{zh: string, en: string}} text */
export function pick(text) {
  return text[language.value];
}
