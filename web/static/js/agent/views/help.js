/** The list of keys. */

import { html, useEffect, useRef } from "../../kit/ui.js";
import { helping } from "../state.js";
import { WAYS } from "../targets.js";
import { t } from "../text.js";
import { Act } from "./parts.js";
import { REASONS } from "./presence.js";
import { OUTCOMES } from "./wrap-up.js";

/** Keys and the words beside them, in groups. @returns {[string, [string, string][]][]} */
function groups() {
  return [
    ["keys.ring", [["Enter", t("ring.accept")], ["Esc", t("ring.decline")]]],
    [
      "keys.call",
      [
        ["M", `${t("call.mute")} / ${t("call.unmute")}`],
        ["V", `${t("call.camera.off")} / ${t("call.camera.on")}`],
        ["S", `${t("call.share")} / ${t("call.unshare")}`],
        ["N", t("keys.note")],
        ["W", t("net.figures")],
        ["H", `${t("hold.begin")} / ${t("hold.resume")}`],
        ["T", t("ask.title")],
        ["X", t("keys.drop")],
        ["P", t("keys.people")],
        ["Ctrl+E", `${t("call.end")} / ${t("call.leave")}`],
      ],
    ],
    ["keys.ask", [["↑ ↓", t("keys.choose")], ...WAYS.map((way, index) => /** @type {[string, string]} */ ([String(index + 1), t(`ask.${way}`)])), ["Esc", t("help.close")]]],
    ["keys.wrap", [[`1–${OUTCOMES.length}`, t("keys.outcome")], ["E", t("keys.extend")], ["Enter", t("wrap.ready")], ["Ctrl+Enter", t("keys.from_text")]]],
    [
      "keys.presence",
      [
        ["0", t("presence.go")],
        ...REASONS.map((reason, index) => /** @type {[string, string]} */ ([String(index + 1), t(`presence.${reason}`)])),
        ["9", t("presence.leave")],
      ],
    ],
    ["keys.everywhere", [["?", t("keys.help")], ["L", t("keys.lang")], ["D", t("keys.stage")], ["K", t("keys.check")]]],
  ];
}

export function Help() {
  const ref = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const dialog = ref.current;
    if (dialog === null) return;
    if (helping.value && !dialog.open) dialog.showModal();
    if (!helping.value && dialog.open) dialog.close();
  });
  return html`<dialog ref=${ref} class="help" aria-labelledby="keys-title" data-testid="help" onClose=${() => (helping.value = false)}>
    ${helping.value && html`<${Keys} />`}
  </dialog>`;
}

function Keys() {
  return html`<header>
      <h1 id="keys-title">${t("keys.title")}</h1>
      <${Act} act="help-close" icon="close" hotkey="Esc" word=${t("help.close")} autoFocus onClick=${() => (helping.value = false)} />
    </header>
    <div class="key-groups">
      ${groups().map(
        ([title, rows]) => html`<section>
          <h2>${t(title)}</h2>
          <dl>${rows.map(([key, word]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${word}</dd></div>`)}</dl>
        </section>`,
      )}
    </div>
    <p class="hint">${t("keys.text")}</p>`;
}
