/** Who is seen: one large, the others as cards, what I share, and myself small. */

import { html, Icon, Picture, useEffect, useRef } from "../../kit/ui.js";
import { remembered, sendTo } from "../devices.js";
import { partner, present } from "../people.js";
import { cameraOff, local, muted, remoteRevision, shared, soundBlocked } from "../state.js";
import { pick, t } from "../text.js";
import { PersonCard } from "./people.js";
import { Held } from "./waiting-for.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").AgentCall} Call */
/** @typedef {import("../../kit/messages.js").PersonView} Person */
/** @typedef {import("../../kit/messages.js").Source} Source */
/** @typedef {Call["slots"][number]} Slot */
/**
 * @typedef {object} Large what fills the stage
 * @property {"share" | "person" | "resident" | "nobody"} what
 * @property {Person | null} person whose picture it is, when not the resident's
 */

/** @param {{call: Call, desk: Desk}} props */
export function Pictures({ call, desk }) {
  const large = largest(call);
  const cards = present(call);
  return html`
    <${Main} call=${call} desk=${desk} large=${large} />
    <div class="others" data-testid="others">
      ${large.what !== "resident" && html`<${ResidentCard} call=${call} desk=${desk} />`}
      ${cards.map(
        (person) => html`<${PersonCard} key=${person.participant} desk=${desk} call=${call} person=${person}
          large=${large.what === "person" && large.person === person}
          track=${person.camera && !person.away ? seenOn(desk, slotOf(call, "camera", person.participant)) : null} />`,
      )}
    </div>
    ${shared.value !== null && html`<${MyShare} track=${shared.value.getVideoTracks()[0]} call=${call} />`}
    <${Small} kind="me" mirrored track=${cameraOff.value ? null : (local.value?.camera ?? null)}
      word=${t(cameraOff.value ? "call.camera_off" : "call.me")} icon=${muted.value ? "mic-off" : undefined} />`;
}

/** A screen goes before a face; while the resident is on hold, whom I talk with. @param {Call} call @returns {Large} */
export function largest(call) {
  if (slotOf(call, "share") !== undefined) return { what: "share", person: null };
  if (!call.on_hold) return { what: "resident", person: null };
  const person = partner(call);
  return { what: person === null ? "nobody" : "person", person };
}

/** @param {Call} call @param {Source} source @param {string} [participant] */
function slotOf(call, source, participant) {
  return call.slots.find((slot) => slot.source === source && (participant === undefined || slot.participant === participant));
}

/** @param {Call} call */
function residentSlot(call) {
  return call.slots.find((slot) => slot.source === "camera" && slot.role === "resident");
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

/** @param {{call: Call, desk: Desk, large: Large}} props */
function Main({ call, desk, large: { what, person } }) {
  if (what === "nobody") return html`<${Held} call=${call} desk=${desk} />`;
  const off = what === "resident" ? !call.resident_camera : person !== null && !person.camera;
  const slot = what === "share" ? slotOf(call, "share") : person === null ? residentSlot(call) : slotOf(call, "camera", person.participant);
  const track = off ? null : seenOn(desk, slot);
  const label = person === null ? t("call.resident") : pick(person.name);
  if (track !== null) return html`<${Picture} track=${track} label=${label} class="main whole" />`;
  return person === null ? html`<${Blank} call=${call} off=${off} />` : html`<${BlankPerson} name=${label} off=${off} />`;
}

/** In place of the resident's picture. @param {{call: Call, off: boolean}} props */
function Blank({ call, off }) {
  const connecting = call.phase === "connecting" || !call.connected;
  const word = connecting ? "call.connecting" : off ? "call.resident_no_camera" : "call.no_picture";
  return html`<p class="blank"><${Icon} name=${off && !connecting ? "video-off" : "user"} />${t(word)}</p>`;
}

/** @param {{name: string, off: boolean}} props */
function BlankPerson({ name, off }) {
  return html`<p class="blank"><${Icon} name=${off ? "video-off" : "user"} />${t(off ? "call.person_no_camera" : "call.person_no_picture", { name })}</p>`;
}

/** The resident while somebody or something else is large. @param {{call: Call, desk: Desk}} props */
function ResidentCard({ call, desk }) {
  const track = call.on_hold || !call.resident_camera ? null : seenOn(desk, residentSlot(call));
  return html`<figure class="small" data-testid="resident-card" data-held=${call.on_hold}>
    ${track !== null
      ? html`<${Picture} track=${track} label=${t("call.resident")} />`
      : html`<p class="blank"><${Icon} name=${call.on_hold ? "pause" : "video-off"} />${call.on_hold && t("hold.cover")}</p>`}
    <figcaption>${t("call.resident")}</figcaption>
  </figure>`;
}

/** @param {{track: MediaStreamTrack | null, word: string, kind?: string, mirrored?: boolean, icon?: string}} props */
function Small({ track, word, kind = "", mirrored, icon }) {
  return html`<figure class=${`small ${kind}`}>
    ${track !== null ? html`<${Picture} track=${track} label=${word} mirrored=${mirrored} />` : html`<p class="blank"><${Icon} name="video-off" /></p>`}
    <figcaption>${icon && html`<${Icon} name=${icon} />`}${word}</figcaption>
  </figure>`;
}

/** @param {{track: MediaStreamTrack, call: Call}} props */
function MyShare({ track, call }) {
  const word = !call.sharing ? "call.starting_share" : call.on_hold ? "hold.sharing" : "call.sharing";
  return html`<figure class="small mine" data-testid="share-preview">
    <${Picture} track=${track} label=${t("call.share")} class="whole" />
    <figcaption><${Icon} name="screen-share" />${t(word)}</figcaption>
  </figure>`;
}

/** Everybody's sound, on whatever m-line it comes. @param {{call: Call, desk: Desk}} props */
export function Voices({ call, desk }) {
  return call.slots
    .filter((slot) => slot.source === "mic")
    .map((slot) => html`<${Voice} key=${slot.mid} track=${heard(desk, slot)} />`);
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
