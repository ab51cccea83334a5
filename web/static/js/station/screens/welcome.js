/** The first screen: where one is, what time it is, and three ways on. */

import { Icon, html } from "../../kit/ui.js";
import { pick, t } from "../../kit/text.js";
import { Title } from "../parts.js";
import { go } from "../visit.js";

/** @param {{catalogue: import("../catalogue.js").Catalogue}} props */
export function Welcome({ catalogue }) {
  return html`<main class="screen welcome">
    <div class="greeting">
      <${Title}>${t("station.welcome.title")}<//>
      <p>${t("station.welcome.hall", { hall: pick(catalogue.hall.name) })}</p>
    </div>
    <div class="entries">
      <${Entry} kind="first" icon="list-check" name="find" onPress=${() => go({ screen: "zones" })} />
      <${Entry} icon="video" name="help" onPress=${() => go({ screen: "help" })} />
      <${Entry} icon="history" name="progress" onPress=${() => go({ screen: "progress" })} />
    </div>
  </main>`;
}

/** @param {{kind?: string, icon: string, name: "find" | "help" | "progress", onPress: () => void}} props */
function Entry({ kind = "", icon, name, onPress }) {
  const words = { find: t("station.welcome.find"), help: t("station.welcome.help"), progress: t("station.welcome.progress") };
  const more = {
    find: t("station.welcome.find_more"),
    help: t("station.welcome.help_more"),
    progress: t("station.welcome.progress_more"),
  };
  return html`<button type="button" class="entry ${kind}" onClick=${onPress}>
    <${Icon} name=${icon} />
    <span class="entry-words"><strong>${words[name]}</strong><span class="more">${more[name]}</span></span>
    <${Icon} name="right" />
  </button>`;
}

/** What can honestly be said of a case that this station cannot look up. */
export function Progress() {
  return html`<main class="screen progress">
    <${Title}>${t("station.progress.title")}<//>
    <p class="lead">${t("station.progress.not_here")}</p>
    <ol class="ways">
      <li><${Icon} name="video" /><span>${t("station.progress.way_video")}</span></li>
      <li><${Icon} name="phone" /><span>${t("station.progress.way_phone")}</span></li>
      <li><${Icon} name="building" /><span>${t("station.progress.way_hall")}</span></li>
    </ol>
    <button type="button" class="button primary act" onClick=${() => go({ screen: "help" })}>
      <${Icon} name="video" /><span>${t("station.progress.ask")}</span>
    </button>
  </main>`;
}
