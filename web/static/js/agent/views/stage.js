/** Middle, in a call: the resident large, what I share, and myself small. */

import { html, Icon, Picture, useEffect, useRef } from "../../kit/ui.js";
import { remembered, sendTo } from "../devices.js";
import { clock } from "../format.js";
import {
  cameraOff, ending, link, local, muted, now, remoteRevision, shared, shareLost, soundBlocked, startingShare, state,
} from "../state.js";
import { pick, t } from "../text.js";
import { Networks, WeakNetworks } from "./networks.js";
import { Act, Refusal, Trouble } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../state.js").AgentState} AgentState */
/** @typedef {NonNullable<AgentState["call"]>} Call */
/** @typedef {Call["slots"][number]} Slot */

/** @param {{desk: Desk}} props */
export function Stage({ desk }) {
  const call = state.value?.call;
  if (!call) return null;
  return html`<div class="stage" data-testid="stage">
    <${Strip} call=${call} />
    <div class="pictures">
      <${Pictures} call=${call} desk=${desk} />
      <${Banners} call=${call} desk=${desk} />
    </div>
    <${Controls} desk=${desk} call=${call} />
    ${call.slots.filter((slot) => slot.source === "mic").map((slot) => html`<${Voice} key=${slot.mid} track=${heard(desk, slot)} />`)}
  </div>`;
}

/** The track of a slot; reading the revision draws again when tracks come and go. @param {Desk} desk @param {Slot} slot */
function heard(desk, slot) {
  void remoteRevision.value;
  return desk.remote(slot.mid);
}

/** The same, but nothing while no picture comes. @param {Desk} desk @param {Slot | undefined} slot */
function seenOn(desk, slot) {
  const track = slot === undefined ? null : heard(desk, slot);
  return track === null || track.muted ? null : track;
}

/** @param {{call: Call}} props */
function Strip({ call }) {
  const started = call.answered_at ?? call.requested_at;
  return html`<div class="strip">
    <h1 class="who"><${Icon} name="user" /><b>${t("call.resident")}</b>
      <span class="where">${t("ring.place", { site: pick(call.site), station: pick(call.station) })}</span></h1>
    <${Networks} call=${call.id} />
    <span class="rec"><${Icon} name="record" />${t("call.recording")}</span>
    <time class="figures timer" aria-label=${t("call.timer")} data-testid="timer">${clock(now.value - started)}</time>
  </div>`;
}

/** @param {{call: Call, desk: Desk}} props */
function Pictures({ call, desk }) {
  const slots = call.slots.filter((slot) => slot.source !== "mic");
  const theirShare = slots.find((slot) => slot.source === "share");
  const main = theirShare ?? slots.find((slot) => slot.role === "resident");
  const off = main?.source === "camera" && !call.resident_camera;
  const track = off ? null : seenOn(desk, main);
  return html`
    ${
      track !== null
        ? html`<${Picture} track=${track} label=${t("call.resident")} class="main whole" />`
        : html`<${Blank} call=${call} off=${off} />`
    }
    <div class="others">
      ${slots
        .filter((slot) => slot !== main)
        .map((slot) => html`<${Small} key=${slot.mid} track=${seenOn(desk, slot)} word=${t(`call.${slot.role}`)} />`)}
    </div>
    ${shared.value !== null && html`<${MyShare} track=${shared.value.getVideoTracks()[0]} told=${call.sharing} />`}
    <${Small} kind="me" mirrored track=${cameraOff.value ? null : (local.value?.camera ?? null)}
      word=${t(cameraOff.value ? "call.camera_off" : "call.me")} icon=${muted.value ? "mic-off" : undefined} />`;
}

/** In place of the resident's picture. @param {{call: Call, off: boolean}} props */
function Blank({ call, off }) {
  const connecting = call.phase === "connecting" || !call.connected;
  const word = connecting ? "call.connecting" : off ? "call.resident_no_camera" : "call.no_picture";
  return html`<p class="blank"><${Icon} name=${off && !connecting ? "video-off" : "user"} />${t(word)}</p>`;
}

/** @param {{track: MediaStreamTrack | null, word: string, kind?: string, mirrored?: boolean, icon?: string}} props */
function Small({ track, word, kind = "", mirrored, icon }) {
  return html`<figure class=${`small ${kind}`}>
    ${track !== null ? html`<${Picture} track=${track} label=${word} mirrored=${mirrored} />` : html`<p class="blank"><${Icon} name="video-off" /></p>`}
    <figcaption>${icon && html`<${Icon} name=${icon} />`}${word}</figcaption>
  </figure>`;
}

/** @param {{track: MediaStreamTrack, told: boolean}} props */
function MyShare({ track, told }) {
  return html`<figure class="small mine" data-testid="share-preview">
    <${Picture} track=${track} label=${t("call.share")} class="whole" />
    <figcaption><${Icon} name="screen-share" />${t(told ? "call.sharing" : "call.starting_share")}</figcaption>
  </figure>`;
}

/** Sound of one person. Browsers may refuse it until the page was touched. @param {{track: MediaStreamTrack | null}} props */
function Voice({ track }) {
  const ref = useRef(/** @type {HTMLAudioElement | null} */ (null));
  useEffect(() => {
    const audio = ref.current;
    if (audio === null || track === null) return undefined;
    audio.srcObject = new MediaStream([track]);
    void sendTo(audio, remembered().speaker);
    const play = () =>
      audio.play().then(
        () => (soundBlocked.value = false),
        (/** @type {DOMException} */ refused) => (soundBlocked.value ||= refused.name === "NotAllowedError"),
      );
    void play();
    document.addEventListener("click", play);
    return () => {
      document.removeEventListener("click", play);
      audio.srcObject = null;
      soundBlocked.value = false;
    };
  }, [track]);
  return html`<audio ref=${ref}></audio>`;
}

/** What is not as it should be, over the picture, so that nothing moves. @param {{call: Call, desk: Desk}} props */
function Banners({ call, desk }) {
  const fault = local.value?.fault ?? null;
  return html`<div class="banners">
    ${(link.value === "lost" || link.value === "restarting") &&
      html`<${Banner} icon="no-network" tone="warn" word=${t(`link.${link.value}`)} />`}
    ${call.resident_away && html`<${Banner} icon="no-network" tone="warn" word=${t("call.away")} />`}
    ${!call.resident_mic && html`<${Banner} icon="mic-off" word=${t("call.resident_muted")} />`}
    ${!call.connected && call.phase === "active" && html`<${Banner} icon="refresh" tone="warn" word=${t("call.rejoining")} />`}
    ${muted.value && html`<${Banner} icon="mic-off" tone="warn" word=${t("call.muted")} />`}
    ${shareLost.value && html`<${Banner} icon="screen-share-off" word=${t("call.share_lost")} />`}
    ${soundBlocked.value && html`<button type="button" class="banner warn"><${Icon} name="speaker-off" />${t("call.play")}</button>`}
    ${fault !== null && html`<${Trouble} fault=${fault} onRetry=${() => desk.retryLocal()} />`}
    <${WeakNetworks} call=${call.id} />
    <${Refusal} place="call" />
    <${Refusal} place="share" />
  </div>`;
}

/** @param {{icon: string, word: string, tone?: string}} props */
function Banner({ icon, word, tone = "" }) {
  return html`<p class=${`banner ${tone}`} role="status"><${Icon} name=${icon} />${word}</p>`;
}

/** @param {{desk: Desk, call: Call}} props */
function Controls({ desk }) {
  if (ending.value) return html`<${Really} desk=${desk} />`;
  const sharing = shared.value !== null;
  return html`<div class="controls" role="toolbar" aria-label=${t("stage")}>
    <${Act} act="mute" icon=${muted.value ? "mic-off" : "mic"} hotkey="M" pressed=${muted.value}
      word=${t(muted.value ? "call.unmute" : "call.mute")} onClick=${() => desk.toggleMute()} />
    <${Act} act="camera" icon=${cameraOff.value ? "video-off" : "video"} hotkey="V" pressed=${cameraOff.value}
      word=${t(cameraOff.value ? "call.camera.on" : "call.camera.off")} onClick=${() => desk.toggleCamera()} />
    <${Act} act="share" icon=${sharing ? "screen-share-off" : "screen-share"} hotkey="S" pressed=${sharing} disabled=${startingShare.value}
      word=${t(sharing ? "call.unshare" : "call.share")} onClick=${() => desk.toggleShare()} />
    <${Act} act="end" icon="phone-end" kind="end" hotkey="Ctrl+E" word=${t("call.end")} onClick=${() => (ending.value = true)} />
  </div>`;
}

/** Asked in place of the controls, so that the pointer is already there. @param {{desk: Desk}} props */
function Really({ desk }) {
  return html`<div class="controls really" role="alertdialog" aria-label=${t("call.end.sure")}>
    <span>${t("call.end.sure")}</span>
    <${Act} act="end-yes" icon="phone-end" kind="end" hotkey="Enter" word=${t("call.end.yes")} autoFocus onClick=${() => desk.end()} />
    <${Act} act="end-no" icon="phone" hotkey="Esc" word=${t("call.end.no")} onClick=${() => (ending.value = false)} />
  </div>`;
}
