/**
 * A sender whose line was narrow and is no more (a terminal far from its access point, somebody else's upload) finds out
 * slowly: it grows by some 8 % a second, 0.5 to 2 Mbit/s takes over 20 s. When the greatest rate of a picture changes,
 * however little, Chromium looks at once: 4 s. On a line that stays narrow this does no harm: over 20 s at 400 kbit/s
 * neither round trip nor pictures per second changed.
 *
 * And one whose picture was made smaller before the line was known to be wide makes it larger again only much later, a
 * camera at the beginning of a call after 8 s and more. When it is told anew what may give way, it is so at once.
 */

/** @typedef {import("./sending.js").Source} Source */
/** @typedef {{source: Source, wide: boolean}} Held a picture that could be better, and whether the line has room for it */

export const ENOUGH = 2_500_000; // bit/s: the greatest rate of a picture
const NUDGED = 2_400_000;
const LOOK_MS = 2_000;
const MOST_LOOKS = 32;

/** Looks every two seconds whether a picture is to be nudged or enlarged. */
export class Nudge {
  /** @type {ReturnType<typeof setInterval>} */ #timer;
  /** Looks between two enlargements: what does not stay large needs more than there may be. */
  #pause = 1;
  #looks = 0;

  /**
   * @param {() => Promise<Iterable<any>>} look the entries of an RTCStatsReport
   * @param {(source: Source) => unknown} nudge
   * @param {(source: Source) => unknown} enlarge
   */
  constructor(look, nudge, enlarge) {
    this.#timer = setInterval(async () => {
      const held = heldBack([...(await look())]);
      this.#looks += 1;
      if (held === null) return;
      if (!held.wide) {
        this.#pause = 1;
        nudge(held.source);
      } else if (this.#looks >= this.#pause) {
        this.#looks = 0;
        this.#pause = Math.min(2 * this.#pause, MOST_LOOKS);
        enlarge(held.source);
      }
    }, LOOK_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/**
 * A picture that the browser makes worse because of the line.
 * @param {ReadonlyArray<any>} entries of an RTCStatsReport @returns {Held | null}
 */
export function heldBack(entries) {
  const pair = entries.find((entry) => entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded");
  const limited = entries.find((e) => e.type === "outbound-rtp" && e.qualityLimitationReason === "bandwidth");
  if (pair?.availableOutgoingBitrate === undefined || !limited) return null;
  return { source: limited.mid, wide: pair.availableOutgoingBitrate >= ENOUGH };
}

/** The other one of two greatest rates that make no difference to the eye. @param {number | undefined} rate bit/s */
export function nudged(rate) {
  return rate === NUDGED ? ENOUGH : NUDGED;
}
