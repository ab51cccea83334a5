/** The console's own words: `t("ring.accept")` is that key of agent.<language>.json. */

import { t as word } from "../kit/text.js";

export { language, loadTexts, pick } from "../kit/text.js";

/** @param {string} key @param {Record<string, string | number>} [params] */
export const t = (key, params) => word(`agent.${key}`, params);
