/** Before the station is anybody: the administrator's code. And the screens of a station that may not work. */

import { html, useEffect, useRef, useState } from "../../kit/ui.js";
import { pick, t } from "../../kit/text.js";
import { EnrolError, enrol } from "../../kit/device.js";
import { Keyboard } from "../keyboard.js";
import { Button, Note, Title } from "../parts.js";

const FORM = /^[A-Z0-9]{4}-?[A-Z0-9]{4}$/;

/** As it is printed: capitals, a dash in the middle. @param {string} code */
function printed(code) {
  const plain = code.trim().toUpperCase().replace("-", "");
  return `${plain.slice(0, 4)}-${plain.slice(4)}`;
}

/** `#enrol=XXXX-XXXX`, taken once and removed from the address bar. */
function codeFromAddress() {
  const found = new URLSearchParams(location.hash.slice(1)).get("enrol");
  if (found) history.replaceState(null, "", location.pathname + location.search);
  return found ?? "";
}

/** @param {{onEnrolled: () => void}} props */
export function Enrol({ onEnrolled }) {
  const [code, type] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const send = async (/** @type {string} */ entered) => {
    setBusy(true);
    setFault("");
    try {
      await enrol(printed(entered));
      onEnrolled();
    } catch (error) {
      setFault(error instanceof EnrolError && error.text ? pick(error.text) : t("station.enrol.no_answer"));
      setBusy(false);
    }
  };
  useEffect(() => {
    const given = codeFromAddress();
    type(given);
    if (FORM.test(given.toUpperCase())) void send(given);
    else field.current?.focus();
  }, []);
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    if (FORM.test(code.trim().toUpperCase())) void send(code);
    else setFault(t("station.enrol.form"));
  };
  return html`<main class="screen enrol">
    <${Title}>${t("station.enrol.title")}<//>
    <p class="lead">${t("station.enrol.how")}</p>
    <form onSubmit=${submit}>
      <label class="field"><span class="visually-hidden">${t("station.enrol.code")}</span>
        <input ref=${field} type="text" inputmode="none" autocomplete="off" autocapitalize="characters" spellcheck=${false} maxlength="9"
          placeholder="XXXX-XXXX" aria-label=${t("station.enrol.code")} value=${code}
          onInput=${(/** @type {any} */ event) => type(event.target.value)} /></label>
      ${fault && html`<${Note} icon="warning" tone="warn">${fault}<//>`}
      <button type="submit" class="button primary act" disabled=${busy}>
        <span>${busy ? t("station.enrol.busy") : t("station.enrol.send")}</span></button>
      <${Keyboard} value=${code} most=${9} digits onType=${type} />
    </form>
  </main>`;
}

/** The line was closed for good. @param {{code: number | undefined, onEnrol: () => void}} props */
export function OutOfService({ code, onEnrol }) {
  const elsewhere = code === 4003;
  return html`<main class="screen middle">
    <${Title}>${elsewhere ? t("station.closed.elsewhere") : t("station.closed.title")}<//>
    <p class="lead">${elsewhere ? t("station.closed.elsewhere_more") : t("station.closed.more")}</p>
    <${Button} kind="primary act" icon="refresh" onPress=${() => location.reload()}>
      ${elsewhere ? t("station.closed.here") : t("station.closed.again")}<//>
    ${!elsewhere && html`<${Button} kind="act" icon="key" onPress=${onEnrol}>${t("station.closed.enrol")}<//>`}
  </main>`;
}
