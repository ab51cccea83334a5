/** Small pieces that several views use. */

import { html, Icon, useEffect, useRef } from "../../kit/ui.js";
import { refusals } from "../state.js";
import { pick, t } from "../text.js";

/**
 * A button with icon, word and key. `act` names it for tests and for the sheet.
 *
 * @param {{act?: string, icon: string, word: string, hotkey?: string, onClick: () => void, kind?: string, pressed?: boolean,
 *   disabled?: boolean, autoFocus?: boolean, describedBy?: string}} props
 */
export function Act({ act, icon, word, hotkey, onClick, kind = "", pressed, disabled, autoFocus, describedBy }) {
  const ref = useRef(/** @type {HTMLButtonElement | null} */ (null));
  useEffect(() => {
    if (autoFocus) ref.current?.focus();
  }, []);
  return html`<button
    ref=${ref}
    type="button"
    class=${`act ${kind}`}
    data-act=${act}
    aria-pressed=${pressed}
    aria-keyshortcuts=${hotkey}
    aria-describedby=${describedBy}
    disabled=${disabled}
    onClick=${onClick}
  >
    <${Icon} name=${icon} /><span class="word">${word}</span>${hotkey && html`<kbd aria-hidden="true">${hotkey}</kbd>`}
  </button>`;
}

/** What the server refused here, in words. @param {{place: import("../state.js").Place}} props */
export function Refusal({ place }) {
  const why = refusals.value[place];
  if (why === undefined) return null;
  return html`<p class="refusal" role="alert" data-place=${place}>
    <${Icon} name="error" /><span>${typeof why === "string" ? t(why) : pick(why)}</span>
  </p>`;
}

/**
 * Camera or microphone could not be opened: why, and what to do.
 *
 * @param {{fault: import("../devices.js").Fault, onRetry: () => void}} props
 */
export function Trouble({ fault, onRetry }) {
  const device = t(`media.${fault.what}`);
  return html`<div class="trouble" role="alert">
    <${Icon} name="warning" />
    <div>
      <strong>${t(`media.${fault.trouble}.title`, { device })}</strong>
      <p>${t(`media.${fault.trouble}.text`, { device })}</p>
      <${Act} icon="refresh" word=${t("check.retry")} onClick=${onRetry} />
    </div>
  </div>`;
}
