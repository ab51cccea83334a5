/** After the call: what came of it, anything to add, ready. Nothing else. */

import { html, Icon } from "../../kit/ui.js";
import { clock } from "../format.js";
import { memory } from "../memory.js";
import { givesOutcome, itemName, now, refuse, sending, state, wrapUp } from "../state.js";
import { pick, t } from "../text.js";
import { Act, Refusal } from "./parts.js";
import { declared } from "./presence.js";
import { NoteList } from "./side.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").Outcome} Outcome */
/** @typedef {import("../../kit/messages.js").AgentCall} Call */

/** In the order of the keys 1 to 7. @type {readonly Outcome[]} */
export const OUTCOMES = ["resolved", "guided", "materials_missing", "referred", "not_possible", "cut_off", "other"];

const HURRY_MS = 15_000;

/** What becomes of a call that I left. */
const GOES_ON = { queued: "wrap.waits", offered: "wrap.waits", connecting: "wrap.goes_on", active: "wrap.goes_on" };

/** @param {Outcome} outcome */
export function choose(outcome) {
  wrapUp.value = { ...wrapUp.value, outcome };
  refuse("wrap_up", null);
}

/** @param {{desk: Desk}} props */
export function WrapUp({ desk }) {
  const seen = state.value;
  const call = seen?.call;
  if (!seen || !call) return null;
  const mine = givesOutcome(call);
  return html`<form class="card wrap" data-testid="wrap-up" data-brief=${!mine} onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <header>
      <div>
        <h1>${t(mine ? "wrap.title" : "wrap.left_call")}</h1>
        <p>${mine ? about(call) : t(call.phase === "ended" ? "wrap.over" : GOES_ON[call.phase], { item: pick(itemName(call.item)) })}</p>
      </div>
      <${Left} until=${seen.wrap_up_until} extensions=${seen.extensions_left} desk=${desk} />
    </header>
    <div class="wrap-body">
      ${mine && html`<${Outcomes} />`}
      <${Remarks} mine=${mine} />
    </div>
    <${Finish} desk=${desk} />
  </form>`;
}

/** What the call was. @param {Call} call */
function about(call) {
  const item = pick(itemName(call.item));
  const talked = call.answered_at !== null && call.ended_at !== null ? call.ended_at - call.answered_at : null;
  const what = talked === null ? t("wrap.ended.unanswered", { item }) : t("wrap.ended", { item, time: clock(talked) });
  return call.end_reason === null ? what : `${what} · ${t(`end.${call.end_reason}`)}`;
}

/** @param {{until: number | null, extensions: number, desk: Desk}} props */
function Left({ until, extensions, desk }) {
  if (until === null) return null;
  const left = until - now.value;
  return html`<div class="wrap-time">
    <p class="wrap-left" data-hurry=${left < HURRY_MS} role="timer">
      <${Icon} name="clock" />${t("wrap.left")}<strong class="figures">${clock(left)}</strong>
    </p>
    <${Act} act="extend" icon="plus" hotkey="E" disabled=${extensions === 0 || sending.value === "wrap_up"}
      word=${extensions === 0 ? t("wrap.extend.none") : t("wrap.extend", { count: extensions })} onClick=${() => desk.extend()} />
  </div>`;
}

function Outcomes() {
  return html`<fieldset>
    <legend>${t("wrap.outcome")}</legend>
    ${OUTCOMES.map(
      (outcome, index) => html`<label key=${outcome} class="outcome">
        <input type="radio" name="outcome" value=${outcome} checked=${wrapUp.value.outcome === outcome}
          aria-keyshortcuts=${String(index + 1)} onChange=${() => choose(outcome)} />
        <span>${t(`outcome.${outcome}`)}</span><kbd aria-hidden="true">${index + 1}</kbd>
      </label>`,
    )}
  </fieldset>`;
}

/** @param {{mine: boolean}} props */
function Remarks({ mine }) {
  const notes = memory.value?.lines.some((line) => line.kind === "note") ?? false;
  return html`<div class="remarks">
    <label for="wrap-note">${t(mine ? "wrap.note" : "wrap.note.left")}</label>
    <textarea id="wrap-note" rows="5" maxlength="2000" value=${wrapUp.value.note}
      onInput=${(/** @type {any} */ event) => (wrapUp.value = { ...wrapUp.value, note: event.currentTarget.value })}></textarea>
    ${notes && html`<h2><${Icon} name="note" />${t("side.notes")}</h2>`}
    ${notes && html`<${NoteList} />`}
  </div>`;
}

/** @param {{desk: Desk}} props */
function Finish({ desk }) {
  const seen = state.value;
  if (seen === null) return null;
  const onDuty = seen.presence === "available";
  const busy = sending.value === "wrap_up";
  return html`<div class="finish">
    <${Act} act="ready" icon="check" kind="primary large" hotkey="Enter" disabled=${busy} onClick=${() => desk.ready()}
      word=${t(busy ? "wrap.saving" : onDuty ? "wrap.ready" : "wrap.ready.paused")} />
    ${!onDuty && html`<span class="hint">${t("presence.then", { word: t(declared(seen).word) })}</span>`}
    <${Refusal} place="wrap_up" />
  </div>`;
}
