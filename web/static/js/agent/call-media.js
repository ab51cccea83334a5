/**
 * The one media connection of the call at hand: camera and microphone, what is sent and what comes. It begins with the
 * ring and ends with the call; in between a connection that fails is replaced by one of a higher generation.
 */

import { Leg } from "../kit/media.js";
import { Switched } from "../kit/switched.js";
import * as devices from "./devices.js";
import { cameraOff, local, muted, remoteRevision } from "./state.js";

/** @typedef {import("../kit/messages.js").Offer} Offer */
/**
 * @typedef {object} Says what the connection has to tell the server
 * @property {(call: string, generation: number, sdp: string, restart: number) => void} answer
 * @property {(call: string, generation: number) => Promise<unknown>} restart it is to find a new way
 * @property {(call: string, generation: number) => void} rejoin the connection of this generation is gone
 * @property {(fields: import("../kit/switched.js").Fields) => Promise<unknown>} devices
 */

export class CallMedia {
  /** @type {Says} */ #says;
  /** @type {Switched} */ #switched;
  /** @type {Leg | null} */ #leg = null;
  /** @type {string | null} */ #call = null;
  /** Counts the times that devices were opened or let go: what an older time opens late is closed again. */
  #time = 0;
  #opened = false;

  /** @param {Says} says */
  constructor(says) {
    this.#says = says;
    this.#switched = new Switched(says.devices);
  }

  /** The call that this is for, null between calls. */
  get call() {
    return this.#call;
  }

  get connected() {
    return this.#leg?.state === "connected";
  }

  /** Open camera and microphone for a call; another call's connection ends. @param {string} call @returns {Leg} */
  prepare(call) {
    if (this.#leg !== null && this.#call === call) return this.#leg;
    this.#hangUp();
    this.#call = call;
    this.#leg = new Leg({
      onAnswer: (generation, sdp, restart) => this.#says.answer(call, generation, sdp, restart),
      onRestart: (generation) => this.#says.restart(call, generation),
      onFailed: (generation) => this.#says.rejoin(call, generation),
      onRemote: () => {
        remoteRevision.value += 1;
      },
    });
    if (!this.#opened) void this.#open();
    this.sendLocal();
    return this.#leg;
  }

  /** Answer at once: camera and microphone join the connection when they are open. @param {Offer} offer */
  async take(offer) {
    await this.prepare(offer.call).offer(offer);
  }

  /** Open the devices again, after the agent has mended what was wrong. */
  async retry() {
    devices.stop(local.value);
    await this.#open();
  }

  /** Send what is to be sent now: nothing of a device that is muted, off or missing. */
  sendLocal() {
    const { mic = null, camera = null } = local.value ?? {};
    if (mic !== null) mic.enabled = !muted.value;
    if (camera !== null) camera.enabled = !cameraOff.value;
    void this.#leg?.setLocal("mic", mic);
    void this.#leg?.setLocal("camera", camera);
    this.#saySwitched();
  }

  /** A new session of this page: what the service knows may be what the page before it said. */
  sayAgain() {
    this.#switched.forget();
    this.#saySwitched();
  }

  /** In which codecs a screen may be sent. @param {readonly import("../kit/messages.js").VideoCodec[]} codecs */
  shareIn(codecs) {
    void this.#leg?.shareIn(codecs);
  }

  /** @param {MediaStreamTrack | null} track */
  share(track) {
    void this.#leg?.setLocal("share", track);
  }

  /** The track received on an m-line. @param {import("../kit/media.js").Mid} mid */
  remote(mid) {
    return this.#leg?.remote(mid) ?? null;
  }

  /** The call is over: the connection ends and the camera's light goes out. */
  close() {
    this.#hangUp();
    this.#opened = false;
    this.#time += 1;
    devices.stop(local.value);
    local.value = null;
    muted.value = cameraOff.value = false;
  }

  #hangUp() {
    this.#leg?.close();
    this.#leg = this.#call = null;
    this.#switched.forget();
  }

  async #open() {
    this.#opened = true;
    const time = ++this.#time;
    const opened = await devices.open(devices.remembered());
    if (time !== this.#time) return devices.stop(opened);
    for (const what of /** @type {const} */ (["mic", "camera"])) {
      const track = opened[what];
      if (track !== null) track.onended = () => this.#unplugged(what);
    }
    local.value = opened;
    this.sendLocal();
  }

  /** @param {"mic" | "camera"} what */
  #unplugged(what) {
    if (local.value !== null) local.value = { ...local.value, fault: { trouble: "missing", what } };
    this.#saySwitched();
  }

  /** Nothing is said before the devices were tried: until then nobody knows. */
  #saySwitched() {
    if (this.#call !== null && local.value !== null) this.#switched.say(this.#call, local.value.mic, local.value.camera);
  }
}
