/** Over the right column, in a call: whom to hand the call to or have beside me. Typing searches, arrows choose. */

import { computed, html, Icon, useEffect, useLayoutEffect, useRef } from "../../kit/ui.js";
import { isFull } from "../people.js";
import { asking, colleagues, sending, state } from "../state.js";
import { found, KINDS, targets, WAYS } from "../targets.js";
import { pick, t } from "../text.js";
import { Act, Refusal } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../state.js").Asking} Open */
/** @typedef {import("../targets.js").Target} Target */
/** @typedef {import("../targets.js").Kind} Kind */
/** @typedef {import("../../kit/messages.js").Joining} Joining */

const ICONS = { transfer: "external", consult: "message", join: "users" };
const KIND_ICONS = { queue: "list", agent: "user", department: "building", skill: "language" };

const listed = computed(() => {
  const open = asking.value;
  const told = colleagues.value;
  return open === null || told === null ? [] : found(targets(told), open.query, open.kind);
});

/** @returns {Target | null} who is chosen, as long as the list has it */
export function chosen() {
  return listed.value.find(({ key }) => key === asking.value?.chosen) ?? null;
}

/** Why this cannot be done now, as a key; null when it can. @param {Target} target @param {Joining} way */
export function against(target, way) {
  const call = state.value?.call;
  if (!call || !target.reachable) return "ask.not.on_duty";
  if (call.ask !== null) return "ask.not.one_at_a_time";
  return way !== "transfer" && isFull(call) ? "ask.not.full" : null;
}

/** @param {Partial<Open>} changes */
function change(changes) {
  if (asking.value !== null) asking.value = { ...asking.value, sure: false, ...changes };
}

/** @param {{desk: Desk}} props */
export function Asking({ desk }) {
  return asking.value === null ? null : html`<${Panel} desk=${desk} />`;
}

/** @param {{desk: Desk}} props */
function Panel({ desk }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(
    () => () => {
      if (document.activeElement === document.body) /** @type {HTMLElement | null} */ (document.querySelector("[data-act=ask]"))?.focus();
    },
    [],
  );
  return html`<aside ref=${ref} class="asking" aria-labelledby="asking-title" data-testid="asking">
    <header>
      <h2 id="asking-title"><${Icon} name="help-person" />${t("ask.title")}</h2>
      <${Act} act="ask-close" icon="close" hotkey="Esc" word=${t("help.close")} onClick=${() => desk.parties.closePanel()} />
    </header>
    <${Search} desk=${desk} />
    <${Kinds} />
    <${List} />
    <${Ways} desk=${desk} />
  </aside>`;
}

/** @param {{desk: Desk}} props */
function Search({ desk }) {
  const ref = useRef(/** @type {HTMLInputElement | null} */ (null));
  useLayoutEffect(() => ref.current?.focus(), []); // before the next key is typed
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) move(step);
    else if (event.key === "Enter") firstWay();
    else if (event.key === "Escape") desk.parties.closePanel();
    else return;
    event.preventDefault();
  };
  const target = chosen();
  return html`<div class="search">
    <${Icon} name="search" />
    <input ref=${ref} id="ask-search" type="text" role="combobox" autocomplete="off" spellcheck="false" maxlength="40"
      aria-label=${t("ask.search")} aria-keyshortcuts="T" aria-controls="ask-list" aria-expanded="true" aria-autocomplete="list"
      aria-activedescendant=${target === null ? undefined : optionId(target)} placeholder=${t("ask.search")} value=${asking.value?.query}
      onInput=${(/** @type {any} */ event) => search(event.currentTarget.value)} onKeyDown=${onKeyDown} />
  </div>`;
}

/** The first that is found is chosen at once: a name, Enter, Enter. @param {string} query */
function search(query) {
  change({ query, chosen: null });
  if (query.trim() !== "") change({ chosen: listed.value[0]?.key ?? null });
}

/** @param {number} step */
function move(step) {
  const all = listed.value;
  if (all.length === 0) return;
  const at = all.findIndex(({ key }) => key === asking.value?.chosen);
  const next = at === -1 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
  change({ chosen: all[next].key });
}

/** From the search to what can be done: the second Enter presses it. */
function firstWay() {
  if (chosen() === null) move(1);
  /** @type {HTMLElement | null} */ (document.querySelector(".asking .way:not(:disabled)"))?.focus();
}

function Kinds() {
  const open = asking.value?.kind ?? null;
  return html`<div class="kinds" role="group" aria-label=${t("ask.kinds")}>
    ${[null, ...KINDS].map(
      (kind) => html`<button type="button" key=${kind} data-kind=${kind ?? "all"} aria-pressed=${open === kind}
        onClick=${() => change({ kind, chosen: null })}>${t(`ask.kind.${kind ?? "all"}`)}</button>`,
    )}
  </div>`;
}

function List() {
  const all = listed.value;
  if (colleagues.value === null) return html`<div class="targets" id="ask-list"><p class="hint">${t("ask.loading")}</p></div>`;
  if (all.length === 0)
    return html`<div class="targets" id="ask-list"><p class="hint" role="status">${t(asking.value?.query ? "ask.none" : "ask.empty")}</p></div>`;
  return html`<div class="targets" id="ask-list" role="listbox" aria-label=${t("ask.title")}>
    ${KINDS.filter((kind) => all.some((one) => one.kind === kind)).map(
      (kind) => html`<div key=${kind} role="group" aria-labelledby=${`ask-${kind}`}>
        <h3 id=${`ask-${kind}`} role="presentation"><${Icon} name=${KIND_ICONS[kind]} />${t(`ask.group.${kind}`)}</h3>
        ${all.filter((one) => one.kind === kind).map((one) => html`<${Option} key=${one.key} target=${one} />`)}
      </div>`,
    )}
  </div>`;
}

/** @param {Target} target */
const optionId = ({ key }) => `ask-${key.replaceAll(/[^\w-]/g, "_")}`;

/** @param {{target: Target}} props */
function Option({ target }) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  const selected = asking.value?.chosen === target.key;
  useEffect(() => {
    if (selected) ref.current?.scrollIntoView({ block: "nearest" });
  }, [selected]);
  const { icon, word, counts, tone } = target.standing;
  return html`<div ref=${ref} id=${optionId(target)} class="target" role="option" aria-selected=${selected} data-target=${target.key}
    onClick=${() => change({ chosen: target.key })}>
    <span class="name"><b>${pick(target.name)}</b>${target.about && html`<small>${pick(target.about)}</small>`}</span>
    <span class="standing" data-tone=${tone}><${Icon} name=${icon} />${t(word, counts)}</span>
  </div>`;
}

/** What can be done with who is chosen; always in the same place. @param {{desk: Desk}} props */
function Ways({ desk }) {
  const target = chosen();
  const open = asking.value;
  if (target === null || open === null) return html`<div class="ways"><p class="hint">${t("ask.choose")}</p></div>`;
  if (open.sure) return html`<${Really} desk=${desk} target=${target} />`;
  const barred = WAYS.map((way) => target.ways.includes(way) && against(target, way)).find(Boolean);
  const busy = target.kind === "agent" && target.reachable && target.standing.tone !== "ready";
  return html`<div class="ways" role="group" aria-label=${pick(target.name)}>
    <strong>${pick(target.name)}</strong>
    ${WAYS.map((way, index) => html`<${Way} key=${way} desk=${desk} target=${target} way=${way} hotkey=${String(index + 1)} />`)}
    <p class="hint">${barred ? t(barred) : busy ? t("ask.busy") : ""}</p>
    <${Refusal} place="ask" />
  </div>`;
}

/** @param {{desk: Desk, target: Target, way: Joining, hotkey: string}} props */
function Way({ desk, target, way, hotkey }) {
  const can = target.ways.includes(way) && against(target, way) === null;
  return html`<button type="button" class="act way" data-act=${`ask-${way}`} aria-keyshortcuts=${hotkey}
    disabled=${!can || sending.value === "ask"} onClick=${() => desk.parties.choose(target, way)}>
    <${Icon} name=${ICONS[way]} />
    <span class="word"><b>${t(`ask.${way}`)}</b><small>${t(target.ways.includes(way) ? `ask.${way}.text` : "ask.not.owner")}</small></span>
    <kbd aria-hidden="true">${hotkey}</kbd>
  </button>`;
}

/** Only for a transfer: what the resident will see. @param {{desk: Desk, target: Target}} props */
function Really({ desk, target }) {
  const sentence = t(target.kind === "agent" ? "ask.sure.person" : "ask.sure", { name: pick(target.name) });
  return html`<div class="ways sure" role="alertdialog" aria-label=${sentence}>
    <p>${sentence}</p>
    <${Act} act="transfer-yes" icon="external" kind="primary" hotkey="Enter" word=${t("ask.sure.yes")} autoFocus disabled=${sending.value === "ask"}
      onClick=${() => desk.parties.choose(target, "transfer")} />
    <${Act} act="transfer-no" icon="back" hotkey="Esc" word=${t("ask.sure.no")} onClick=${() => desk.parties.unsure()} />
    <${Refusal} place="ask" />
  </div>`;
}
