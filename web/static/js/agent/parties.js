/**
 * What the agent does with the others of the call: asks somebody, puts the resident on hold, hands the call over, sends
 * somebody away. What is refused is shown where it was pressed.
 */

import * as st from "./state.js";

/** @typedef {import("../kit/messages.js").Requests} Requests */
/** @typedef {import("../kit/messages.js").Joining} Joining */
/** @typedef {import("./targets.js").Target} Target */
/** @typedef {<K extends keyof Requests>(place: st.Place, type: K, fields: Requests[K]) => Promise<boolean>} Ask */

export class Parties {
  /** @type {Ask} */ #ask;
  /** @type {{call: string, target: Target, kind: Joining} | null} what was asked last, for asking again */ #last = null;

  /** @param {Ask} ask */
  constructor(ask) {
    this.#ask = ask;
  }

  openPanel() {
    const call = st.state.value?.call;
    if (st.mode.value !== "call" || !call?.owner) return;
    st.refuse("ask", null);
    st.ending.value = st.figuring.value = false;
    st.asking.value = { query: "", kind: null, chosen: null, sure: false };
  }

  closePanel() {
    st.asking.value = null;
    st.refuse("ask", null);
  }

  togglePanel() {
    if (st.asking.value === null) this.openPanel();
    else this.closePanel();
  }

  /** A transfer is asked for twice: it cannot be taken back. @param {Target} target @param {Joining} kind */
  async choose(target, kind) {
    const open = st.asking.value;
    if (open === null) return;
    if (kind === "transfer" && !open.sure) st.asking.value = { ...open, sure: true };
    else if (await this.#askFor(target, kind)) this.closePanel();
  }

  /** Rather not transfer. */
  unsure() {
    const open = st.asking.value;
    if (open !== null) st.asking.value = { ...open, sure: false };
  }

  async again() {
    if (this.#last !== null && this.#last.call === this.#call()) await this.#askFor(this.#last.target, this.#last.kind);
    else this.openPanel();
  }

  async drop() {
    if (st.state.value?.call?.ask) await this.#ask("call", "drop_ask", { call: this.#call() });
  }

  /** Put the sentence about the last ask away. */
  read() {
    const call = st.state.value?.call;
    if (call?.failed_ask) st.readFailure.value = `${call.id}.${call.failed_ask.number}`;
  }

  async toggleHold() {
    const call = st.state.value?.call;
    if (!call?.owner || st.sending.value === "call") return;
    await this.#ask("call", "hold", { call: call.id, on: !call.on_hold });
  }

  /** @param {string} participant */
  async handOver(participant) {
    await this.#ask("call", "hand_over", { call: this.#call(), participant });
  }

  /** @param {string} participant */
  async sendAway(participant) {
    await this.#ask("call", "send_away", { call: this.#call(), participant });
  }

  /** @param {Target} target @param {Joining} kind */
  async #askFor(target, kind) {
    const call = this.#call();
    if (st.sending.value === "ask") return false;
    this.#last = { call, target, kind };
    const place = st.asking.value === null ? "call" : "ask";
    return this.#ask(place, "ask_for", { call, kind, [target.kind]: target.id });
  }

  #call() {
    return st.state.value?.call?.id ?? "";
  }
}
