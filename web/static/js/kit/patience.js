/**
 * How long pictures wait before they are shown. What is lost on the way is sent again, a round trip or two later, on
 * either of the two legs; a browser by itself waits for the first of these only, and the picture stands still. So
 * where packets are lost a picture comes up to half a second later, sound with it, and does not stop. As long as
 * nothing is lost nothing waits.
 */

/** @typedef {{packets: number, repaired: number, freezes: number}} Seen of one track, sums since the beginning */

const LOOK_MS = 1_000;
const STEPS = [
  { share: 0.12, ms: 420 },
  { share: 0.03, ms: 330 },
  { share: 0.01, ms: 180 },
]; // of packets that had to be sent again, and what to wait then
const FREEZE_MS = 150; // more, for each look at which it had frozen: the loss may be on the other's leg
const MOST_MS = 450;
const KEPT_LOOKS = 20; // after the last loss
const LESS_MS = 20; // at each look after that

/** How long a track should wait, look by look. */
export class Patience {
  ms = 0;
  #calm = 0;
  /** @type {Seen} */ #before = { packets: 0, repaired: 0, freezes: 0 };

  /** @param {Seen} now @returns {number} milliseconds */
  look(now) {
    const before = this.#before;
    this.#before = now;
    const packets = now.packets - before.packets;
    const share = packets > 0 ? (now.repaired - before.repaired) / packets : 0;
    const froze = now.freezes > before.freezes && before.packets > 0;
    const wanted = Math.max(STEPS.find((step) => share >= step.share)?.ms ?? 0, froze ? this.ms + FREEZE_MS : 0);
    this.#calm = wanted > 0 ? 0 : this.#calm + 1;
    if (wanted > this.ms) this.ms = Math.min(wanted, MOST_MS);
    else if (this.#calm > KEPT_LOOKS) this.ms = Math.max(0, this.ms - LESS_MS);
    return this.ms;
  }
}

/** Looks after all pictures of a connection until it is closed. @param {RTCPeerConnection} pc */
export function bePatient(pc) {
  /** @type {Map<string, Patience>} */
  const tracks = new Map();
  const timer = setInterval(async () => {
    if (pc.connectionState === "closed") {
      clearInterval(timer);
      return;
    }
    const stats = await pc.getStats();
    for (const { mid, receiver } of pc.getTransceivers()) {
      if (!mid || receiver.track.kind !== "video") continue;
      for (const entry of stats.values()) {
        if (entry.type !== "inbound-rtp" || entry.mid !== mid) continue;
        const patience = tracks.get(mid) ?? new Patience();
        tracks.set(mid, patience);
        const ms = patience.look({
          packets: entry.packetsReceived ?? 0,
          repaired: entry.retransmittedPacketsReceived ?? 0,
          freezes: entry.freezeCount ?? 0,
        });
        // Not in every browser; where it is missing this sets a property that nobody reads.
        /** @type {any} */ (receiver).jitterBufferTarget = ms || null;
      }
    }
  }, LOOK_MS);
}
