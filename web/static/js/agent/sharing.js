/** The agent's shared screen or window: chosen by the person, announced to the server, stopped from either side. */

import { refuse, shared, startingShare, state } from "./state.js";

/**
 * @typedef {object} Wires
 * @property {(on: boolean) => Promise<boolean>} send tells the server; false when it refused
 * @property {(track: MediaStreamTrack | null) => void} show puts the picture on the share m-line
 */

export class Sharing {
  /** @type {Wires} */ #wires;

  /** @param {Wires} wires */
  constructor(wires) {
    this.#wires = wires;
  }

  async toggle() {
    if (startingShare.value) return;
    if (shared.value === null) await this.#start();
    else await this.stop();
  }

  async #start() {
    startingShare.value = true;
    try {
      const stream = await this.#choose();
      if (stream === null) return;
      this.#put(stream);
      // The picture flows before the server is told, so that the resident never looks at an empty screen.
      if (!(await this.#wires.send(true)) && shared.value === stream) this.forget();
    } finally {
      startingShare.value = false;
    }
  }

  /** @returns {Promise<MediaStream | null>} null when nothing was chosen */
  async #choose() {
    try {
      return await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 15, max: 30 } }, audio: false });
    } catch (error) {
      const refused = error instanceof DOMException && error.name === "NotAllowedError";
      refuse("share", refused ? "call.share_denied" : "call.share_failed");
      return null;
    }
  }

  /** @param {MediaStream} stream */
  #put(stream) {
    const [track] = stream.getVideoTracks();
    track.onended = () => void this.stop(); // the browser's own "stop sharing" bar
    shared.value = stream;
    this.#wires.show(track);
  }

  async stop() {
    if (shared.value === null) return;
    this.forget();
    if (state.value?.call?.sharing) await this.#wires.send(false);
  }

  /** Stop the picture here without telling anybody: the call is over, or the server refused. */
  forget() {
    if (shared.value === null) return;
    for (const track of shared.value.getTracks()) {
      track.onended = null;
      track.stop();
    }
    shared.value = null;
    this.#wires.show(null);
  }
}
