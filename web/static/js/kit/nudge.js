/**
 * A sender whose line was narrow and is no more (a terminal far from its access point, somebody else's upload) finds out
 * slowly: it grows by some 8 % a second, 0.5 to 2 Mbit/s takes over 20 s. When the greatest rate of a picture changes,
 * however little, Chromium looks at once: 4 s. On a line that stays narrow this does no harm: over 20 s at 400 kbit/s
 * neither round trip nor pictures per second changed.
 */

/** @typedef {import("./sending.js").Source} Source */

export const ENOUGH = 2_500_000; // bit/s: the greatest rate of a picture
const NUDGED = 2_400_000;
const NUDGE_MS = 2_000;

/** Looks every two seconds whether a picture is to be nudged. */
export class Nudge {
  /** @type {ReturnType<typeof setInterval>} */ #timer;

  /**
   * @param {() => Promise<Iterable<any>>} look the entries of an RTCStatsReport
   * @param {(source: Source) => unknown} nudge
   */
  constructor(look, nudge) {
    this.#timer = setInterval(async () => {
      const source = heldBack([...(await look())]);
      if (source !== null) nudge(source);
    }, NUDGE_MS);
  }

  stop() {
    clearInterval(this.#timer);
  }
}

/**
 * A picture that could be better if the line were known to carry more.
 * @param {ReadonlyArray<any>} entries of an RTCStatsReport @returns {Source | null}
 */
export function heldBack(entries) {
  const pair = entries.find((entry) => entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded");
  if (!((pair?.availableOutgoingBitrate ?? Infinity) < ENOUGH)) return null;
  const limited = entries.find((e) => e.type === "outbound-rtp" && e.qualityLimitationReason === "bandwidth");
  return limited?.mid ?? null;
}

/** The other one of two greatest rates that make no difference to the eye. @param {number | undefined} rate bit/s */
export function nudged(rate) {
  return rate === NUDGED ? ENOUGH : NUDGED;
}
