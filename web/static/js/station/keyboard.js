/** A keyboard on the screen: the station has no other. */

import { Icon, html } from "../kit/ui.js";
import { t } from "../kit/text.js";

const DIGITS = "1234567890";
const LETTERS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/**
 * @param {{value: string, most: number, onType: (text: string) => void, digits?: boolean, space?: boolean}} props
 *   `most`: how many characters may be typed
 */
export function Keyboard({ value, most, onType, digits = false, space = false }) {
  const type = (/** @type {string} */ letter) => {
    if (value.length < most) onType(value + letter);
  };
  const rows = digits ? [DIGITS, ...LETTERS] : LETTERS;
  return html`<div class="keyboard" role="group" aria-label=${t("station.search.keyboard")}>
    ${rows.map(
      (letters) => html`<div class="keys">
        ${[...letters].map((letter) => html`<button type="button" class="key" onClick=${() => type(letter)}>${letter}</button>`)}
        ${letters === LETTERS[2] &&
        html`<button type="button" class="key wide" onClick=${() => onType(value.slice(0, -1))}
          aria-label=${t("station.search.erase")}><${Icon} name="backspace" /></button>`}
      </div>`,
    )}
    <div class="keys">
      <button type="button" class="key half" onClick=${() => onType("")}>${t("station.search.clear")}</button>
      ${space && html`<button type="button" class="key half" onClick=${() => type(" ")}>${t("station.search.space")}</button>`}
    </div>
  </div>`;
}

/**
 * Digits alone, for a telephone number or a code.
 * @param {{value: string, most: number, onType: (text: string) => void}} props
 */
export function Keypad({ value, most, onType }) {
  const type = (/** @type {string} */ digit) => {
    if (value.length < most) onType(value + digit);
  };
  return html`<div class="keypad" role="group" aria-label=${t("station.search.keyboard")}>
    ${[..."123456789"].map((digit) => html`<button type="button" class="key" onClick=${() => type(digit)}>${digit}</button>`)}
    <button type="button" class="key" onClick=${() => onType("")}>${t("station.search.clear")}</button>
    <button type="button" class="key" onClick=${() => type("0")}>0</button>
    <button type="button" class="key" onClick=${() => onType(value.slice(0, -1))} aria-label=${t("station.search.erase")}><${Icon} name="backspace" /></button>
  </div>`;
}
