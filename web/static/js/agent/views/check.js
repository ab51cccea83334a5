/** The device check: see yourself, hear yourself, choose what is used. */

import { LevelMeter } from "../../kit/level.js";
import { html, Icon, Picture, useEffect, useState } from "../../kit/ui.js";
import * as devices from "../devices.js";
import { testSound } from "../sound.js";
import { checking, soundAllowed, state } from "../state.js";
import { t } from "../text.js";
import { Act, Trouble } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../devices.js").Choice} Choice */
/** @typedef {import("../devices.js").Local} Local */

const KINDS = /** @type {const} */ (["camera", "mic", "speaker"]);
const ICONS = { camera: "camera", mic: "mic", speaker: "speaker" };
const HEARD = 0.45;

/** @param {{desk: Desk}} props */
export function Check({ desk }) {
  const [choice, setChoice] = useState(devices.remembered());
  const { local, lists, retry } = useDevices(choice);
  const done = () => {
    devices.remember(choice);
    checking.value = false;
  };
  return html`<div class="card check" data-testid="check">
    <h1>${t("check.title")}</h1>
    <p>${t("check.text")}</p>
    <div class="check-body">
      <div class="preview">
        ${local?.camera ? html`<${Picture} track=${local.camera} label=${t("check.preview")} mirrored />` : html`<${Blank} local=${local} />`}
      </div>
      <div class="choose">
        ${KINDS.map(
          (kind) => html`<${Choose} key=${kind} kind=${kind} value=${choice[kind]} options=${lists?.[kind] ?? []}
            onChange=${(/** @type {string} */ id) => setChoice({ ...choice, [kind]: id })} />`,
        )}
        <${Level} track=${local?.mic ?? null} />
        <${Act} act="test-sound" icon="speaker" word=${t("check.test")} onClick=${() => void testSound(choice.speaker)} />
      </div>
    </div>
    ${local?.fault && html`<${Trouble} fault=${local.fault} onRetry=${retry} />`}
    <${Finish} desk=${desk} done=${done} ready=${local !== null && local.mic !== null} />
  </div>`;
}

/**
 * Open what is chosen for as long as the check is shown.
 *
 * @param {Choice} choice
 */
function useDevices(choice) {
  const [local, setLocal] = useState(/** @type {Local | null} */ (null));
  const [lists, setLists] = useState(/** @type {Awaited<ReturnType<typeof devices.list>> | null} */ (null));
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let gone = false;
    /** @type {Local | null} */
    let opened = null;
    const look = async () => {
      const next = await devices.open(choice);
      if (gone) return devices.stop(next);
      opened = next;
      setLocal(next);
      setLists(await devices.list());
    };
    void look();
    return () => {
      gone = true;
      devices.stop(opened);
    };
  }, [choice.camera, choice.mic, attempt]);
  return { local, lists, retry: () => setAttempt(attempt + 1) };
}

/** @param {{local: Local | null}} props */
function Blank({ local }) {
  return html`<p class="blank"><${Icon} name="video-off" />${t(local === null ? "check.starting" : local.mic === null ? "check.no_picture" : "media.no_camera")}</p>`;
}

/** @param {{kind: "camera" | "mic" | "speaker", value: string, options: MediaDeviceInfo[], onChange: (id: string) => void}} props */
function Choose({ kind, value, options, onChange }) {
  const id = `check-${kind}`;
  const known = options.some((device) => device.deviceId === value);
  return html`<div class="field">
    <label for=${id}><${Icon} name=${ICONS[kind]} />${t(`check.${kind}`)}</label>
    <select id=${id} value=${known ? value : ""} onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.value)}>
      <option value="">${t("check.default")}</option>
      ${options.map((device) => html`<option key=${device.deviceId} value=${device.deviceId}>${device.label}</option>`)}
    </select>
  </div>`;
}

/** @param {{track: MediaStreamTrack | null}} props */
function Level({ track }) {
  const [level, setLevel] = useState(0);
  const [heard, setHeard] = useState(false);
  useEffect(() => {
    if (track === null) return undefined;
    const meter = new LevelMeter(track, (now) => {
      setLevel(now);
      if (now > HEARD) setHeard(true);
    });
    return () => meter.close();
  }, [track, soundAllowed.value]); // a meter made before the first touch of the page stands still
  return html`<div class="field">
    <label for="check-level">${t("check.level")}</label>
    <meter id="check-level" min="0" max="1" value=${level}></meter>
    <small>${heard ? html`<${Icon} name="success" />` : null}${t(heard ? "check.level.heard" : "check.level.hint")}</small>
  </div>`;
}

/** @param {{desk: Desk, done: () => void, ready: boolean}} props */
function Finish({ desk, done, ready }) {
  const seen = state.value;
  if (seen === null) return null;
  if (seen.presence === "available")
    return html`<div class="finish"><${Act} act="checked" icon="check" kind="primary large" word=${t("check.keep")} onClick=${done} /></div>`;
  const go = () => {
    done();
    void desk.declare("available");
  };
  return html`<div class="finish">
    <${Act} act="checked" icon="check" kind="primary large" word=${t("check.done")} disabled=${!ready} onClick=${go} />
    <${Act} act="later" icon="clock" word=${t("check.later")} onClick=${done} />
  </div>`;
}
