/** The page: a bar above, three columns below, and one full-page message when the console lives elsewhere. */

import { html, Icon } from "../../kit/ui.js";
import { toggleHelp } from "../keys.js";
import { openCheck, stage, switchLanguage, switchStage } from "../page.js";
import { catalogue, link, mode, state, stoppedBy } from "../state.js";
import { pick, t } from "../text.js";
import { Asking } from "./asking.js";
import { Check } from "./check.js";
import { Help } from "./help.js";
import { Idle } from "./idle.js";
import { Act } from "./parts.js";
import { Presence } from "./presence.js";
import { Ring } from "./ring.js";
import { Side } from "./side.js";
import { Stage } from "./stage.js";
import { WrapUp } from "./wrap-up.js";

/** @typedef {import("../desk.js").Desk} Desk */

const MIDDLE = { check: Check, idle: Idle, ring: Ring, call: Stage, wrap_up: WrapUp };

/** @param {{desk: Desk}} props */
export function Console({ desk }) {
  if (link.value === "taken_over" || link.value === "stopped") return html`<${Elsewhere} />`;
  const now = mode.value;
  return html`<div class="console" data-mode=${now} data-stage=${stage.value}>
    <${Bar} />
    <${LinkBanner} />
    ${now !== "wrap_up" && html`<${Presence} desk=${desk} />`}
    <main id="middle" tabindex="-1" aria-label=${t("stage")}>
      ${now === "loading" ? html`<p class="empty">${t("loading")}</p>` : html`<${MIDDLE[now]} desk=${desk} />`}
    </main>
    ${now !== "wrap_up" && html`<${Side} desk=${desk} />`}
    ${now === "call" && html`<${Asking} desk=${desk} />`}
    <${Help} />
  </div>`;
}

function Bar() {
  const seen = state.value;
  const dark = stage.value === "dark";
  return html`<header class="bar">
    <strong class="product"><${Icon} name="headset" />${t("title")}</strong>
    ${
      seen &&
      html`<span class="person"><b>${pick(seen.name)}</b> ${pick(seen.department)} · ${t("badge", { badge: seen.badge })}</span>`
    }
    <nav aria-label=${t("menu")}>
      ${mode.value === "idle" && html`<${Act} act="check" icon="settings" hotkey="K" word=${t("menu.check")} onClick=${openCheck} />`}
      ${mode.value === "call" && html`<${Act} act="stage" icon=${dark ? "eye" : "video"} hotkey="D" word=${t("menu.stage")} pressed=${dark} onClick=${switchStage} />`}
      <${Act} act="help" icon="keyboard" hotkey="?" word=${t("help")} onClick=${toggleHelp} />
      <${Act} act="language" icon="language" hotkey="L" word=${t("lang.other")} onClick=${switchLanguage} />
      ${
        mode.value === "idle" &&
        html`<form method="post" action="/agent/logout"><button class="act" data-act="logout">
          <${Icon} name="logout" /><span class="word">${t("menu.sign_out")}</span></button></form>`
      }
    </nav>
  </header>`;
}

/** Over the middle and outside the flow: nothing moves when the network goes or comes. In a call it is the stage's. */
function LinkBanner() {
  if (mode.value === "call") return null;
  const word = link.value === "lost" ? "link.lost" : link.value === "restarting" ? "link.restarting" : null;
  const lacking = catalogue.value === "failed" && state.value !== null;
  if (word === null && !lacking) return null;
  return html`<p class="link-banner" role="alert" data-testid="link">
    <${Icon} name=${word === null ? "info" : "no-network"} />${t(word ?? "link.catalogue")}
  </p>`;
}

/** The socket is closed for good: a person has to choose. */
function Elsewhere() {
  const taken = link.value === "taken_over";
  return html`<main class="elsewhere" data-testid="elsewhere">
    <${Icon} name=${taken ? "external" : "error"} />
    <h1>${t(taken ? "taken.title" : "stopped.title")}</h1>
    <p>${taken ? t("taken.text") : t("link.stopped", { code: stoppedBy.value })}</p>
    <${Act} act="take-back" icon="refresh" kind="primary large" autoFocus
      word=${t(taken ? "taken.back" : "link.reload")} onClick=${() => location.reload()} />
  </main>`;
}
