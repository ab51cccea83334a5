/** Nobody can answer now: how the queue stands, the call-back slots, and the one that was taken. */

import { computed, signal } from "../kit/ui.js";

/** @typedef {import("../kit/messages.js").Slots} Slots */
/** @typedef {import("../kit/messages.js").Booked} Booked */
/** @typedef {"closed" | "nobody" | "queue_full" | "unanswered"} Shut why a call is not taken, or was not answered */

export const SHUT = new Set(["closed", "nobody", "queue_full"]);

/** @type {import("../../vendor/signals.js").Signal<{item: string, why: Shut} | null>} */
export const shut = signal(null);
/** @type {import("../../vendor/signals.js").Signal<Slots | null>} */
export const slots = signal(null);
/** @type {import("../../vendor/signals.js").Signal<Booked | null>} */
export const ticket = signal(null);
/** The time that was chosen was taken by somebody else a moment ago. */
export const taken = signal(false);

/** @typedef {{key: string, at: number, slots: {at: number, free: number}[]}} Day */

/** The slots by the hall's day, as the station's clock has it. */
export const days = computed(() => {
  /** @type {Map<string, Day>} */
  const found = new Map();
  for (const slot of slots.value?.slots ?? []) {
    const key = new Date(slot.at).toDateString();
    const day = found.get(key) ?? { key, at: slot.at, slots: [] };
    day.slots.push(slot);
    found.set(key, day);
  }
  return [...found.values()];
});

export function forgetCallback() {
  shut.value = slots.value = ticket.value = null;
  taken.value = false;
}
