/** Tells the service whether one's microphone and camera are on: the other side cannot tell that from silence and black. */

/** @typedef {{call: string, mic: boolean, camera: boolean}} Fields of the request `devices` */

export class Switched {
  /** @type {(fields: Fields) => Promise<unknown>} */ #tell;
  #told = "";

  /** @param {(fields: Fields) => Promise<unknown>} tell asks the service; what it refuses is said again later */
  constructor(tell) {
    this.#tell = tell;
  }

  /**
   * Nothing is told twice, so this may be called whenever something may have changed. A track that is null, disabled
   * or ended counts as off.
   * @param {string} call @param {MediaStreamTrack | null} mic @param {MediaStreamTrack | null} camera
   */
  say(call, mic, camera) {
    const fields = { call, mic: sends(mic), camera: sends(camera) };
    const words = JSON.stringify(fields);
    if (words === this.#told) return;
    this.#told = words;
    this.#tell(fields).catch(() => {
      if (this.#told === words) this.#told = "";
    });
  }

  /** The service may know otherwise (another page spoke, or another call begins): it is told again. */
  forget() {
    this.#told = "";
  }
}

/** @param {MediaStreamTrack | null} track */
function sends(track) {
  return track !== null && track.enabled && track.readyState === "live";
}
