/**
 * The one call that this page listens to, whispers in, has joined or taken over: its connection to the media node, and
 * the supervisor's own microphone and camera, open only while somebody is meant to hear or see them.
 */

import { Leg } from "../kit/media.js";
import { Switched } from "../kit/switched.js";

/** @typedef {import("../kit/messages.js").ManagerCall} ManagerCall */
/** @typedef {import("../kit/messages.js").Supervision} Mode */
/** @typedef {import("../kit/messages.js").Outcome} Outcome */
/** @typedef {(type: any, fields: any) => Promise<unknown>} Request */

/** @param {ManagerCall} call whether the microphone is to be open */
const speaks = (call) => call.owner || call.mode === "whisper" || call.mode === "barge";
/** @param {ManagerCall} call */
const isSeen = (call) => call.owner || call.mode === "barge";

export class Supervising {
  /** @type {Request} */ #request;
  /** @type {(trouble: string | null) => void} */ #onTrouble;
  /** @type {() => void} */ #onChange;
  /** @type {Switched} */ #switched;
  /** @type {Leg | null} */ #leg = null;
  /** @type {string | null} */ #call = null;
  /** @type {{mic: MediaStreamTrack | null, camera: MediaStreamTrack | null}} */ #own = { mic: null, camera: null };
  /** What the devices were opened for last, so that they are not asked for twice. */
  #wanted = "";

  /**
   * @param {Request} request asks the service
   * @param {() => void} onChange something that is drawn changed
   * @param {(trouble: string | null) => void} onTrouble a device could not be opened: a key under supervise.
   */
  constructor(request, onChange, onTrouble) {
    this.#request = request;
    this.#onChange = onChange;
    this.#onTrouble = onTrouble;
    this.#switched = new Switched((fields) => request("devices", fields));
  }

  /** @param {string} call @param {Mode} mode */
  begin(call, mode) {
    return this.#request("supervise", { call, mode });
  }

  /** @param {string} call */
  stop(call) {
    return this.#request("stop_supervising", { call });
  }

  /** @param {string} call */
  takeOver(call) {
    return this.#request("take_over", { call });
  }

  /** @param {string} call */
  hangUp(call) {
    return this.#request("hang_up", { call });
  }

  /** @param {string} call @param {Outcome} outcome */
  wrapUp(call, outcome) {
    return this.#request("wrap_up", { call, outcome, note: "" });
  }

  /** Somebody who left without signing out. @param {string} agent */
  signOut(agent) {
    return this.#request("set_presence_of", { agent, presence: "signed_out" });
  }

  /** @param {import("../kit/messages.js").Offer} offer */
  async take(offer) {
    await this.#legOf(offer.call).offer(offer);
  }

  /** What the service says of it now; null: nothing is supervised. @param {ManagerCall | null} call */
  follow(call) {
    if (call === null || call.phase === "ended") return this.#close();
    this.#legOf(call.id);
    void this.#openFor(call);
  }

  /** @param {import("../kit/media.js").Mid} mid */
  remote(mid) {
    return this.#leg?.remote(mid) ?? null;
  }

  get camera() {
    return this.#own.camera;
  }

  /** @param {string} call */
  #legOf(call) {
    if (this.#leg !== null && this.#call === call) return this.#leg;
    this.#close();
    this.#call = call;
    this.#leg = new Leg({
      onAnswer: (generation, sdp, restart) => void this.#ask("answer", { call, generation, sdp, restart }),
      onRestart: (generation) => this.#request("restart_ice", { call, generation }),
      onFailed: (generation) => void this.#ask("rejoin", { call, generation }),
      onRemote: this.#onChange,
    });
    return this.#leg;
  }

  /** The next state says what came of it. @param {string} type @param {object} fields */
  async #ask(type, fields) {
    await this.#request(type, fields).catch(() => {});
  }

  /** @param {ManagerCall} call */
  async #openFor(call) {
    const wanted = `${call.id} ${speaks(call)} ${isSeen(call)}`;
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    const opened = await this.#open(speaks(call), isSeen(call));
    if (wanted !== this.#wanted) return stop(opened);
    stop(this.#own);
    this.#own = opened;
    await this.#leg?.setLocal("mic", opened.mic);
    await this.#leg?.setLocal("camera", opened.camera);
    this.#switched.say(call.id, opened.mic, opened.camera);
    this.#onChange();
  }

  /** @param {boolean} mic @param {boolean} camera */
  async #open(mic, camera) {
    this.#onTrouble(null);
    if (!mic && !camera) return { mic: null, camera: null };
    const sound = await this.#device({ audio: { echoCancellation: true, noiseSuppression: true } }, "no_mic");
    const picture = camera ? await this.#device({ video: { width: 640, height: 480 } }, "no_camera") : null;
    return { mic: sound?.getAudioTracks()[0] ?? null, camera: picture?.getVideoTracks()[0] ?? null };
  }

  /** @param {MediaStreamConstraints} what @param {string} trouble */
  async #device(what, trouble) {
    try {
      return await navigator.mediaDevices.getUserMedia(what);
    } catch {
      this.#onTrouble(trouble);
      return null;
    }
  }

  #close() {
    this.#leg?.close();
    this.#leg = this.#call = null;
    this.#wanted = "";
    stop(this.#own);
    this.#own = { mic: null, camera: null };
    this.#switched.forget();
    this.#onTrouble(null);
  }
}

/** @param {{mic: MediaStreamTrack | null, camera: MediaStreamTrack | null}} opened */
function stop({ mic, camera }) {
  mic?.stop();
  camera?.stop();
}
