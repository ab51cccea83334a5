/** The agent's camera, microphone and speaker: which were chosen, opening them, and what went wrong. */

import { getLocalMedia, stopTracks } from "../kit/media.js";

const KEY = "bangban.agent.devices";

/** @typedef {{camera: string, mic: string, speaker: string}} Choice device ids, "" for the system's default */
/** @typedef {"denied" | "missing" | "busy" | "insecure" | "failed"} Trouble the key in `media.<trouble>.title` */
/** @typedef {"camera" | "mic" | "both"} What the key in `media.<what>` */
/** @typedef {{trouble: Trouble, what: What}} Fault */
/** @typedef {{mic: MediaStreamTrack | null, camera: MediaStreamTrack | null, fault: Fault | null}} Local */

/** @returns {Choice} */
export function remembered() {
  const none = { camera: "", mic: "", speaker: "" };
  try {
    return { ...none, ...JSON.parse(localStorage.getItem(KEY) ?? "{}") };
  } catch {
    return none;
  }
}

/** @param {Choice} choice */
export function remember(choice) {
  localStorage.setItem(KEY, JSON.stringify(choice));
}

/** Whether this browser has been through the check once. */
export function wasChecked() {
  return localStorage.getItem(KEY) !== null;
}

/**
 * Open camera and microphone, each as far as it is to be had: a voice is better than nothing.
 *
 * @param {Choice} choice
 * @returns {Promise<Local>}
 */
export async function open(choice) {
  if (!navigator.mediaDevices) return { mic: null, camera: null, fault: { trouble: "insecure", what: "both" } };
  const [width, height] = (document.documentElement.dataset.camera ?? "1280x720").split("x").map(Number);
  const chosen = await getLocalMedia({ micId: choice.mic, cameraId: choice.camera, width, height });
  if (!chosen.faults.some((fault) => fault.name === "missing")) return judged(chosen);
  // A chosen device may have been unplugged since: take what is there.
  stopTracks(chosen.mic, chosen.camera);
  return judged(await getLocalMedia({ width, height }));
}

/** @param {Awaited<ReturnType<typeof getLocalMedia>>} opened @returns {Local} */
function judged({ mic, camera, faults }) {
  const [first] = faults;
  if (first === undefined) return { mic, camera, fault: null };
  const same = faults.length === 2 && faults[0].name === faults[1].name;
  return { mic, camera, fault: { trouble: first.name, what: same ? "both" : first.device } };
}

/** @param {Local | null} local */
export function stop(local) {
  if (local !== null) stopTracks(local.mic, local.camera);
}

/** @returns {Promise<Record<"camera" | "mic" | "speaker", MediaDeviceInfo[]>>} labelled only after permission */
export async function list() {
  const all = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  const real = all.filter((device) => !["", "default", "communications"].includes(device.deviceId));
  return {
    camera: real.filter((device) => device.kind === "videoinput"),
    mic: real.filter((device) => device.kind === "audioinput"),
    speaker: real.filter((device) => device.kind === "audiooutput"),
  };
}

/**
 * Play an element or context through the chosen speaker, where the browser can choose one.
 *
 * @param {HTMLMediaElement | AudioContext} sink
 * @param {string} speaker
 */
export async function sendTo(sink, speaker) {
  const route = /** @type {{setSinkId?: (id: string) => Promise<void>}} */ (/** @type {unknown} */ (sink));
  if (route.setSinkId === undefined) return;
  // A speaker unplugged since it was chosen: the system's default plays instead.
  await route.setSinkId(speaker).catch(() => undefined);
}
