/** What the hall offers at this station, and how a resident finds it. */

/** @typedef {import("../kit/messages.js").Item} Item */
/** @typedef {import("../kit/messages.js").Zone} Zone */
/** @typedef {import("../kit/messages.js").Department} Department */
/** @typedef {{zh: string, en: string}} Text */
/** @typedef {{hall: {name: Text}, zones: Zone[], departments: Department[], items: Item[]}} Catalogue */

/** @param {string} station @returns {Promise<Catalogue>} */
export async function loadCatalogue(station) {
  const response = await fetch(`/api/catalogue?station=${encodeURIComponent(station)}`);
  if (!response.ok) throw new Error(`the catalogue: ${response.status}`);
  return response.json();
}

/** Those asked for most come first. @param {Catalogue} catalogue @param {string} zone @returns {Item[]} */
export function itemsOf(catalogue, zone) {
  return catalogue.items.filter((item) => item.zone === zone).sort((a, b) => b.popular - a.popular);
}

/** The item that stands for "I cannot say what it is": `<zone>-enquiry`. @param {Catalogue} catalogue @param {string} zone */
export function enquiryOf(catalogue, zone) {
  return catalogue.items.find((item) => item.id === `${zone}-enquiry`);
}

/**
 * Items that fit what was typed: Chinese words, pinyin initials, full pinyin or English; best first.
 * @param {Catalogue} catalogue @param {string} typed @returns {Item[]}
 */
export function search(catalogue, typed) {
  const words = typed.trim().toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return [];
  const scored = catalogue.items.map((item) => ({ item, score: Math.min(...words.map((word) => fit(item, word))) }));
  const joined = words.join("");
  for (const entry of scored) entry.score = Math.max(entry.score, words.length > 1 ? fit(entry.item, joined) : 0);
  return scored
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score || b.item.popular - a.item.popular)
    .map(({ item }) => item);
}

/** How well one word fits, 0 for not at all. @param {Item} item @param {string} word */
function fit(item, word) {
  return /^[\x20-\x7e]+$/.test(word) ? fitLatin(item, word) : fitChinese(item, word);
}

/** @param {Item} item @param {string} word */
function fitChinese(item, word) {
  if (item.name.zh.startsWith(word)) return 9;
  if (item.name.zh.includes(word)) return 8;
  if (item.keywords.some((keyword) => keyword.includes(word) || word.includes(keyword))) return 7;
  return item.summary.zh.includes(word) ? 3 : 0;
}

/** @param {Item} item @param {string} word */
function fitLatin(item, word) {
  const syllables = item.pinyin.split(" ");
  if (item.initials.startsWith(word)) return 9;
  if (syllables.join("").startsWith(word)) return 8;
  if (syllables.some((_, start) => syllables.slice(start).join("").startsWith(word))) return 7;
  if (word.length > 1 && item.initials.includes(word)) return 6;
  if (item.keywords.some((keyword) => keyword.toLowerCase().startsWith(word))) return 5;
  return item.name.en.toLowerCase().split(/\W+/).some((part) => part.startsWith(word)) ? 5 : 0;
}
