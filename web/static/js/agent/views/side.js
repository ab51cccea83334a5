/** Right: the item's guide, what the resident has to bring, my notes, and what happened so far. */

import { html, Icon, useEffect, useRef, useState } from "../../kit/ui.js";
import { timeOfDay } from "../format.js";
import { memory, tick } from "../memory.js";
import { catalogue, itemId, itemOf, mode } from "../state.js";
import { pick, t } from "../text.js";
import { Act, Refusal } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../state.js").Item} Item */

/** @param {{desk: Desk}} props */
export function Side({ desk }) {
  const id = itemId.value;
  const item = itemOf(id);
  return html`<aside class="right" aria-label=${t("right")}>
    ${
      id === null
        ? html`<p class="empty"><${Icon} name="list-check" />${t("side.empty")}</p>`
        : item === null
          ? html`<p class="empty">${t(catalogue.value === "failed" ? "link.catalogue" : "side.unknown")}</p>`
          : html`<${Guide} item=${item} />`
    }
    ${mode.value === "call" && html`<${Notes} desk=${desk} />`}
    ${mode.value === "call" && html`<${History} />`}
  </aside>`;
}

/** @param {{item: Item}} props */
function Guide({ item }) {
  return html`<section class="guide" tabindex="0" aria-label=${pick(item.name)}>
    <h2 class="item-name">${pick(item.name)}</h2>
    <p class="summary">${pick(item.summary)}</p>
    <${Facts} item=${item} />
    <${Materials} item=${item} />
    <h2><${Icon} name="steps" />${t("side.guide")}</h2>
    <ol>${item.steps.map((step) => html`<li>${pick(step)}</li>`)}</ol>
  </section>`;
}

/** @param {{item: Item}} props */
function Facts({ item }) {
  const all = catalogue.value;
  const department = all === null || all === "failed" ? undefined : all.departments.find((one) => one.id === item.department);
  return html`<dl class="facts">
    <div><dt>${t("side.duration")}</dt><dd>${pick(item.duration)}</dd></div>
    <div><dt>${t("side.fee")}</dt><dd>${pick(item.fee)}</dd></div>
    ${department && html`<div><dt>${t("side.department")}</dt><dd>${pick(department.name)}</dd></div>`}
  </dl>`;
}

/** @param {{item: Item}} props */
function Materials({ item }) {
  const ticked = memory.value?.ticked ?? [];
  const counted = t("side.ticked", { done: ticked.length, all: item.materials.length });
  return html`<h2><${Icon} name="list-check" />${t("side.materials")}
      ${mode.value === "call" && html`<small class="figures" data-testid="ticked">${counted}</small>`}</h2>
    <ul class="materials">
      ${item.materials.map(
        (material, index) => html`<li>
          <label>
            <input type="checkbox" checked=${ticked.includes(index)} disabled=${mode.value !== "call"} onChange=${() => tick(index)} />
            <span>${pick(material.name)} <em>${t(`material.${material.form}`)}</em>
              ${material.note && html`<small>${pick(material.note)}</small>`}</span>
          </label>
        </li>`,
      )}
    </ul>`;
}

/** @param {{desk: Desk}} props */
function Notes({ desk }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const save = async () => {
    const wanted = text.trim();
    if (wanted === "" || busy) return;
    setBusy(true);
    if (await desk.addNote(wanted)) setText("");
    setBusy(false);
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void save();
  };
  return html`<section class="notes">
    <h2><${Icon} name="note" />${t("side.notes")}<kbd aria-hidden="true">N</kbd></h2>
    <${NoteList} />
    <div class="write">
      <textarea id="note" rows="2" maxlength="2000" aria-label=${t("note.label")} aria-keyshortcuts="N" placeholder=${t("note.hint")}
        value=${text} onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)} onKeyDown=${onKeyDown}></textarea>
      <${Act} act="note" icon="check" word=${t(busy ? "note.saving" : "note.add")} disabled=${busy} onClick=${save} />
    </div>
    <${Refusal} place="note" />
  </section>`;
}

export function NoteList() {
  const notes = memory.value?.lines.filter((line) => line.kind === "note") ?? [];
  const ref = useTail(notes.length);
  if (notes.length === 0) return html`<p class="hint">${t("note.empty")}</p>`;
  return html`<ul class="note-list" data-testid="notes" tabindex="0" aria-label=${t("side.notes")} ref=${ref}>
    ${notes.map((note) => html`<li><time class="figures">${timeOfDay(note.at)}</time><span>${note.text}</span></li>`)}
  </ul>`;
}

/** A list that shows its end when it grows. @param {number} length */
function useTail(length) {
  const ref = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    ref.current?.scrollTo(0, ref.current.scrollHeight);
  }, [length]);
  return ref;
}

function History() {
  const lines = (memory.value?.lines ?? []).filter((line) => line.kind !== "note").sort((a, b) => a.at - b.at);
  const ref = useTail(lines.length);
  return html`<details class="history" open=${window.innerHeight >= 800}>
    <summary><${Icon} name="history" />${t("side.history")}</summary>
    <ol tabindex="0" aria-label=${t("side.history")} ref=${ref}>
      ${lines.map((line) => html`<li><time class="figures">${timeOfDay(line.at)}</time><span>${t(`history.${line.kind}`, { who: line.who ? pick(line.who) : "" })}</span></li>`)}
    </ol>
  </details>`;
}
