/**
 * What the agent's page does: takes the server's messages in, keeps to the call that they tell of, and carries out what
 * the agent wants. What it finds it writes into state.js; it draws nothing.
 */

import { CloseCode, RequestError } from "../kit/protocol.js";
import { CallMedia } from "./call-media.js";
import { noteChanges, noteParties, noteStanding } from "./history.js";
import * as memory from "./memory.js";
import { Parties } from "./parties.js";
import { Ringing } from "./ringing.js";
import * as st from "./state.js";
import { Sharing } from "./sharing.js";

/** @typedef {import("../kit/protocol.js").Connection} Connection */
/** @typedef {import("../kit/protocol.js").Message} Message */
/** @typedef {import("../kit/messages.js").AgentState} AgentState */
/** @typedef {import("../kit/messages.js").AgentCall} AgentCall */
/** @typedef {import("../kit/messages.js").Ring} Ring */
/** @typedef {import("../kit/messages.js").Requests} Requests */

const LIVE = ["offered", "connecting", "active"];
const RING_OVER_MS = 1500; // a ring gone this near to its deadline was missed, not withdrawn
const SAVE_BEFORE_MS = 5000; // wrap-up that ends by itself keeps what was chosen

export class Desk {
  /** @type {Connection} */ #connection;
  /** @type {string | null} the reservation that was declined here */ #declined = null;
  /** The next state is the first of a session: nothing is known of what went before. */
  #fresh = true;
  #saved = false;
  #ringing = new Ringing();
  #media = new CallMedia({
    answer: (call, generation, sdp, restart) => void this.#ask("call", "answer", { call, generation, sdp, restart }),
    restart: (call, generation) => this.#connection.request("restart_ice", { call, generation }),
    rejoin: (call, generation) => void this.#ask("call", "rejoin", { call, generation }),
    devices: (fields) => this.#connection.request("devices", fields),
  });
  #sharing = new Sharing({
    send: (on) => this.#ask("share", "share", { call: this.#callId(), on }),
    show: (track) => this.#media.share(track),
  });

  parties = new Parties((place, type, fields) => this.#ask(place, type, fields));

  /** @param {(desk: Desk) => Connection} connect makes the connection, whose messages go to `receive` */
  constructor(connect) {
    this.#connection = connect(this);
  }

  start() {
    this.#connection.start();
    setInterval(() => this.#tick(), 250);
    window.addEventListener("online", () => this.#connection.retryNow());
    window.addEventListener("pagehide", () => this.#media.close());
    window.addEventListener("pageshow", (event) => event.persisted && location.reload()); // its leg is gone
  }

  // --- what the server says -----------------------------------------------------------------------

  /** @param {Message} message */
  receive(message) {
    switch (message.type) {
      case "welcome":
        if (!message.resumed) this.#fresh = true;
        if (this.#fresh) st.quality.value = null;
        this.#tick();
        break;
      case "agent_state":
        this.#follow(message);
        break;
      case "offer":
        void this.#media.take(message);
        break;
      case "call_quality":
        st.quality.value = message;
        break;
      case "colleagues":
        st.colleagues.value = message;
        break;
      case "taken_over":
        this.stopped(CloseCode.TAKEN_OVER);
        break;
      case "error":
        st.refuse(st.mode.value === "call" ? "call" : "presence", message.text);
        break;
    }
  }

  /** @param {import("../kit/protocol.js").State} now @param {number} [code] */
  linked(now, code) {
    if (now === "closed") this.stopped(code ?? 0);
    else if (now === "lost") st.link.value = code === CloseCode.RESTARTING ? "restarting" : "lost";
    else st.link.value = now;
  }

  /** The socket closed for good. @param {number} code */
  stopped(code) {
    this.#ringing.follow(null);
    this.#letGo();
    if (code === CloseCode.NOT_SIGNED_IN || code === CloseCode.SIGNED_OUT) {
      location.assign("/agent/login");
      return;
    }
    st.stoppedBy.value = code;
    st.link.value = code === CloseCode.TAKEN_OVER ? "taken_over" : "stopped";
  }

  /** @param {AgentState} next */
  #follow(next) {
    const before = st.state.value;
    const fresh = this.#fresh;
    this.#fresh = false;
    this.#tick();
    st.state.value = next;
    this.#ringing.follow(next.ring?.answered ? null : next.ring);
    if (before !== null) this.#noteRing(before, next);
    this.#noteCall(before?.call ?? null, next.call);
    if (next.call !== null && !next.call.left && LIVE.includes(next.call.phase)) this.#keepCall(next.call, fresh);
    else if (next.ring === null) this.#letGo();
    if (st.mode.value === "wrap_up" && before?.activity !== "wrap_up") this.#beginWrapUp(next);
    if (before?.wrap_up_until !== next.wrap_up_until) this.#saved = false; // extended: to be kept once more
    if (next.call === null && next.ring === null) memory.forget();
    if (next.ring !== null) st.checking.value = st.helping.value = false;
    if (st.mode.value !== "call" || !next.call?.owner) this.parties.closePanel();
  }

  /** What became of a ring that is over. @param {AgentState} before @param {AgentState} next */
  #noteRing(before, next) {
    const rung = before.ring;
    if (next.ring !== null) st.lastRing.value = null;
    if (rung === null || next.ring?.reservation === rung.reservation) return;
    st.refuse("ring", null);
    const answered = next.call?.id === rung.call && next.call.phase !== "offered";
    st.lastRing.value = answered ? null : { how: this.#ringEnd(rung, next), item: rung.item };
  }

  /** @param {Ring} rung @param {AgentState} next @returns {import("./state.js").RingEnd} */
  #ringEnd(rung, next) {
    if (rung.answered) return "alone";
    const beside = rung.joining === "consult" || rung.joining === "join";
    if (this.#declined === rung.reservation) return beside ? "asked_declined" : "declined";
    if (next.pause_reason === "missed_calls" || this.#connection.serverNow() >= rung.until - RING_OVER_MS)
      return beside ? "asked_missed" : "missed";
    return beside ? "asked_withdrawn" : "withdrawn";
  }

  /** Remember what happens in the call, for its history. @param {AgentCall | null} before @param {AgentCall | null} next */
  #noteCall(before, next) {
    if (next === null) return;
    const taken = memory.recall(next.id);
    if (before === null && taken && next.phase !== "ended") memory.log("reloaded", st.now.value);
    if (!memory.seen("requested")) memory.log("requested", next.requested_at);
    if (st.isTalking(next)) noteStanding(next);
    if (before?.id === next.id) {
      noteChanges(before, next);
      noteParties(before, next);
    }
    if (next.ended_at !== null && !memory.seen("ended")) memory.log("ended", next.ended_at);
  }

  /** @param {AgentCall} call @param {boolean} fresh */
  #keepCall(call, fresh) {
    const known = this.#media.call === call.id;
    this.#media.prepare(call.id);
    this.#media.shareIn(call.share_codecs);
    if (fresh) this.#media.sayAgain();
    if (!fresh || this.#media.connected) return;
    void this.#ask("call", "rejoin", { call: call.id, generation: call.generation });
    if (known || !call.sharing) return;
    st.shareLost.value = true;
    void this.#ask("share", "share", { call: call.id, on: false });
  }

  /** @param {AgentState} next */
  #beginWrapUp(next) {
    this.#saved = false;
    st.ending.value = false;
    st.refusals.value = {};
    const mine = next.call !== null && st.givesOutcome(next.call);
    st.wrapUp.value = { outcome: (mine && next.call?.outcome) || null, note: (mine && next.call?.outcome_note) || "" };
  }

  /** No call: the camera's light goes out. */
  #letGo() {
    this.#sharing.forget();
    this.#media.close();
    st.shareLost.value = st.ending.value = st.figuring.value = false;
    st.quality.value = st.colleagues.value = null;
  }

  /** The track received on an m-line. @param {import("../kit/media.js").Mid} mid */
  remote(mid) {
    return this.#media.remote(mid);
  }

  // --- what the agent wants --------------------------------------------------------------------------

  /** @param {import("../kit/messages.js").Presence} presence @param {import("../kit/messages.js").PauseReason | null} [reason] */
  async declare(presence, reason = null) {
    if (await this.#ask("presence", "set_presence", { presence, reason })) st.lastRing.value = null;
  }

  async accept() {
    const ring = st.state.value?.ring;
    if (!ring || ring.answered || st.sending.value === "ring") return;
    await this.#ask("ring", "accept", { call: ring.call, reservation: ring.reservation });
  }

  async decline() {
    const ring = st.state.value?.ring;
    if (!ring || ring.answered || st.sending.value === "ring") return;
    this.#declined = ring.reservation;
    if (!(await this.#ask("ring", "decline", { call: ring.call, reservation: ring.reservation }))) this.#declined = null;
  }

  /** After the agent has mended what was wrong with camera or microphone. */
  async retryLocal() {
    await this.#media.retry();
  }

  toggleMute() {
    st.muted.value = !st.muted.value;
    this.#media.sendLocal();
  }

  toggleCamera() {
    st.cameraOff.value = !st.cameraOff.value;
    this.#media.sendLocal();
  }

  async toggleShare() {
    st.shareLost.value = false;
    st.refuse("share", null);
    await this.#sharing.toggle();
  }

  async end() {
    st.ending.value = false;
    await this.#ask("call", "hang_up", { call: this.#callId() });
  }

  /** @param {string} text @returns {Promise<boolean>} whether it was kept */
  async addNote(text) {
    const kept = await this.#ask("note", "add_note", { call: this.#callId(), text });
    if (kept) memory.log("note", st.now.value, { text });
    return kept;
  }

  /** Send what came of the call, and be ready for the next one. */
  async ready() {
    const call = st.state.value?.call;
    if (!call || st.sending.value === "wrap_up") return;
    if (st.givesOutcome(call) && st.wrapUp.value.outcome === null) st.refuse("wrap_up", "wrap.choose");
    else if (await this.#keepWrapUp(call)) await this.#ask("wrap_up", "ready", { call: call.id });
  }

  async extend() {
    const seen = st.state.value;
    if (!seen?.call || seen.extensions_left === 0 || st.sending.value === "wrap_up") return;
    await this.#ask("wrap_up", "extend_wrap_up", { call: seen.call.id });
  }

  /** The outcome is the owner's to give; anybody else's words are a note. @param {AgentCall} call */
  async #keepWrapUp(call) {
    const { outcome, note } = st.wrapUp.value;
    if (st.givesOutcome(call)) return outcome !== null && this.#ask("wrap_up", "wrap_up", { call: call.id, outcome, note });
    const text = note.trim();
    if (text !== "" && !(await this.#ask("wrap_up", "add_note", { call: call.id, text }))) return false;
    if (text !== "") {
      memory.log("note", st.now.value, { text });
      st.wrapUp.value = { outcome: null, note: "" };
    }
    return true;
  }

  /**
   * @template {keyof Requests} K
   * @param {import("./state.js").Place} place where a refusal is shown
   * @param {K} type
   * @param {Requests[K]} fields
   * @returns {Promise<boolean>}
   */
  async #ask(place, type, fields) {
    st.refuse(place, null);
    if (type !== "answer") st.sending.value = place;
    try {
      await this.#connection.request(type, fields);
      return true;
    } catch (error) {
      st.refuse(place, /** @type {RequestError} */ (error).text);
      return false;
    } finally {
      if (st.sending.value === place) st.sending.value = null;
    }
  }

  #callId() {
    return st.state.value?.call?.id ?? "";
  }

  // --- time -------------------------------------------------------------------------------------------

  #tick() {
    st.now.value = this.#connection.serverNow();
    const until = st.state.value?.wrap_up_until ?? null;
    if (st.mode.value !== "wrap_up" || until === null || until - st.now.value > SAVE_BEFORE_MS) return;
    const call = st.state.value?.call;
    if (this.#saved || !call) return;
    const { outcome, note } = st.wrapUp.value;
    if (st.givesOutcome(call) ? outcome === null : note.trim() === "") return;
    this.#saved = true;
    void this.#keepWrapUp(call);
  }
}
