/** What the resident should know of devices and network, in words. */

import { html } from "../../kit/ui.js";
import { pick, t } from "../../kit/text.js";
import { Note } from "../parts.js";
import { broken, call, faults, link, live, network, trouble } from "../session.js";

/** Without a camera or a microphone the call goes on; what works is said. */
export function DeviceNotes() {
  const missing = new Set(faults.value.map((fault) => fault.device));
  if (missing.has("mic") && missing.has("camera")) {
    return html`<${Note} icon="mic-off" tone="warn">${t("station.device.neither")}<//>`;
  }
  if (missing.has("camera")) return html`<${Note} icon="video-off" tone="info">${t("station.device.no_camera")}<//>`;
  if (missing.has("mic")) return html`<${Note} icon="mic-off" tone="warn">${t("station.device.no_mic")}<//>`;
  return null;
}

/** The line to the service itself; above every screen. */
export function LinkBanner() {
  if (link.value.state !== "lost") return null;
  return html`<div class="banner" role="alert"><${Note} icon="no-network" tone="warn">
    ${lost()}<//></div>`;
}

/** What stays safe meanwhile. */
function lost() {
  if (!live.value) return t("common.connection.lost");
  const waits = call.value?.phase === "queued" || call.value?.phase === "offered";
  return waits ? t("station.link.lost_keeps") : t("station.link.lost_talking");
}

/** The one thing that matters most just now. @param {{call: import("../../kit/messages.js").StationCall}} props */
export function CallNotes({ call: seen }) {
  if (seen.agent_away) return html`<${Note} icon="no-network" tone="warn">${t("station.call.agent_away")}<//>`;
  if (broken.value) return html`<${Note} icon="no-network" tone="warn">${t("station.call.broken")}<//>`;
  if (trouble.value) return html`<${Note} icon="warning" tone="warn">${pick(trouble.value)}<//>`;
  if (!seen.agent_mic) return html`<${Note} icon="mic-off" tone="info">${t("station.call.agent_mic_off")}<//>`;
  if (network.value === "bad") return html`<${Note} icon="weak-network" tone="info">${t("station.call.network_bad")}<//>`;
  return html`<${DeviceNotes} />`;
}
