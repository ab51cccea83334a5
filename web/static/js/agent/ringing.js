/** The noise that one ring makes: tone, title, desktop notice. All of it stops together. */

import { pick, t } from "./text.js";
import { blinkTitle, notice } from "./attention.js";
import { remembered } from "./devices.js";
import { ring as ringTone } from "./sound.js";
import { itemName } from "./state.js";

/** @typedef {import("../kit/messages.js").Ring} Ring */

export class Ringing {
  /** @type {string | null} */ #reservation = null;
  /** @type {(() => void)[]} */ #stops = [];

  /**
   * Ring for this and nothing else; null is silence. Told the same ring again, it goes on as it was.
   *
   * @param {Ring | null} ring
   */
  follow(ring) {
    if ((ring?.reservation ?? null) === this.#reservation) return;
    for (const stop of this.#stops.splice(0)) stop();
    this.#reservation = ring?.reservation ?? null;
    if (ring === null) return;
    const words = t("title.ringing", { item: pick(itemName(ring.item)) });
    const where = t("ring.notify", { site: pick(ring.site), station: pick(ring.station) });
    this.#stops.push(ringTone(remembered().speaker), blinkTitle(words), notice(words, where));
  }
}
