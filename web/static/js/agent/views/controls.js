/** Below the stage: what I can do in the call, each with its key. */

import { html } from "../../kit/ui.js";
import { owner, present } from "../people.js";
import { asking, cameraOff, ending, muted, sending, shared, startingShare } from "../state.js";
import { pick, t } from "../text.js";
import { Act } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").AgentCall} Call */

/** @param {{desk: Desk, call: Call}} props */
export function Controls({ desk, call }) {
  if (ending.value) return html`<${Really} desk=${desk} call=${call} />`;
  const sharing = shared.value !== null;
  return html`<div class="controls" role="toolbar" aria-label=${t("stage")}>
    <${Act} act="mute" icon=${muted.value ? "mic-off" : "mic"} hotkey="M" pressed=${muted.value}
      word=${t(muted.value ? "call.unmute" : "call.mute")} onClick=${() => desk.toggleMute()} />
    <${Act} act="camera" icon=${cameraOff.value ? "video-off" : "video"} hotkey="V" pressed=${cameraOff.value}
      word=${t(cameraOff.value ? "call.camera.on" : "call.camera.off")} onClick=${() => desk.toggleCamera()} />
    <${Act} act="share" icon=${sharing ? "screen-share-off" : "screen-share"} hotkey="S" pressed=${sharing} disabled=${startingShare.value}
      word=${t(sharing ? "call.unshare" : "call.share")} onClick=${() => desk.toggleShare()} />
    ${call.owner && html`<${OwnersOwn} desk=${desk} call=${call} />`}
    <${Act} act="end" icon=${call.owner ? "phone-end" : "logout"} kind="end" hotkey="Ctrl+E"
      word=${t(call.owner ? "call.end" : "call.leave")} onClick=${() => (ending.value = true)} />
  </div>`;
}

/** @param {{desk: Desk, call: Call}} props */
function OwnersOwn({ desk, call }) {
  const open = asking.value !== null;
  return html`
    <${Act} act="hold" icon=${call.on_hold ? "play" : "pause"} hotkey="H" pressed=${call.on_hold} disabled=${sending.value === "call"}
      word=${t(call.on_hold ? "hold.resume" : "hold.begin")} onClick=${() => desk.parties.toggleHold()} />
    <${Act} act="ask" icon="help-person" hotkey="T" pressed=${open} word=${t("ask.open")} onClick=${() => desk.parties.togglePanel()} />`;
}

/** Asked in place of the controls, so that the pointer is already there. @param {{desk: Desk, call: Call}} props */
function Really({ desk, call }) {
  const other = owner(call);
  const sure =
    other !== null ? t("call.leave.sure", { name: pick(other.name) }) : t(present(call).length > 0 ? "call.end.sure.all" : "call.end.sure");
  const mine = other === null;
  return html`<div class="controls really" role="alertdialog" aria-label=${sure}>
    <span>${sure}</span>
    <${Act} act="end-yes" icon=${mine ? "phone-end" : "logout"} kind="end" hotkey="Enter" word=${t(mine ? "call.end.yes" : "call.leave.yes")}
      autoFocus onClick=${() => desk.end()} />
    <${Act} act="end-no" icon="phone" hotkey="Esc" word=${t("call.end.no")} onClick=${() => (ending.value = false)} />
  </div>`;
}
