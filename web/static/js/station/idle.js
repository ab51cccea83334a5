/** An untended station: after a minute without a touch it asks, then nothing of the resident is left. */

import { html, useEffect, useState } from "../kit/ui.js";
import { t } from "../kit/text.js";
import { Button, Dialog } from "./parts.js";
import { untouched } from "./visit.js";

export const QUIET_MS = 60_000;
const ANSWER_S = 15;

/** @param {{onGone: () => void}} props */
export function Idle({ onGone }) {
  const [asking, ask] = useState(false);
  useEffect(() => {
    /** @type {ReturnType<typeof setTimeout>} */
    let timer;
    const touched = () => {
      clearTimeout(timer);
      timer = setTimeout(() => (untouched() ? touched() : ask(true)), QUIET_MS);
    };
    // Somebody who watches a film to its end touches nothing; its progress, which does not bubble, counts too.
    const signs = ["pointerdown", "keydown", "timeupdate"];
    for (const sign of signs) addEventListener(sign, touched, true);
    touched();
    return () => {
      clearTimeout(timer);
      for (const sign of signs) removeEventListener(sign, touched, true);
    };
  }, []);
  const gone = () => {
    ask(false);
    onGone();
  };
  return asking ? html`<${StillThere} onStay=${() => ask(false)} onGone=${gone} />` : null;
}

/** @param {{onStay: () => void, onGone: () => void}} props */
function StillThere({ onStay, onGone }) {
  const [left, count] = useState(ANSWER_S);
  useEffect(() => {
    const timer = setTimeout(() => (left > 1 ? count(left - 1) : onGone()), 1_000);
    return () => clearTimeout(timer);
  }, [left]);
  return html`<${Dialog} title=${t("station.idle.question")}>
    <p class="lead">${t("station.idle.else", { seconds: left })}</p>
    <${Button} kind="primary" icon="check" onPress=${onStay}>${t("station.idle.stay")}<//>
    <${Button} icon="home" onPress=${onGone}>${t("station.idle.done")}<//>
  <//>`;
}
