/**
 * What the agent's page does: takes the server's messages in, keeps to the call that they tell of, and carries out what
 * the agent wants. What it finds it writes into state.js; it draws nothing.
 */

import { CloseCode, RequestError } from "../kit/protocol.js";
import { CallMedia } from "./call-media.js";
import * as memory from "./memory.js";
import { Ringing } from "./ringing.js";
import * as st from "./state.js";
import { Sharing } from "./sharing.js";

/** @typedef {import("../kit/protocol.js").Connection} Connection */
/** @typedef {import("../kit/protocol.js").Message} Message */
/** @typedef {import("../kit/messages.js").AgentState} AgentState */
/** @typedef {import("../kit/messages.js").AgentCall} AgentCall */
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
    this.#ringing.follow(next.ring);
    if (before !== null) this.#noteRing(before, next);
    this.#noteCall(before?.call ?? null, next.call);
    if (next.call !== null && LIVE.includes(next.call.phase)) this.#keepCall(next.call, fresh);
    else if (next.ring === null) this.#letGo();
    if (st.mode.value === "wrap_up" && before?.activity !== "wrap_up") this.#beginWrapUp(next);
    if (next.call === null && next.ring === null) memory.forget();
    if (next.ring !== null) st.checking.value = st.helping.value = false;
  }

  /** What became of a ring that is over. @param {AgentState} before @param {AgentState} next */
  #noteRing(before, next) {
    const rung = before.ring;
    if (next.ring !== null) st.lastRing.value = null;
    if (rung === null || next.ring?.reservation === rung.reservation) return;
    st.refuse("ring", null);
    const answered = next.call?.id === rung.call && next.call.phase !== "offered";
    if (answered) st.lastRing.value = null;
    else if (this.#declined === rung.reservation) st.lastRing.value = { how: "declined", item: rung.item };
    else {
      const missed = next.pause_reason === "missed_calls" || this.#connection.serverNow() >= rung.until - RING_OVER_MS;
      st.lastRing.value = { how: missed ? "missed" : "withdrawn", item: rung.item };
    }
  }

  /** Remember what happens in the call, for its history. @param {AgentCall | null} before @param {AgentCall | null} next */
  #noteCall(before, next) {
    if (next === null) return;
    const taken = memory.recall(next.id);
    if (before === null && taken && next.phase !== "ended") memory.log("reloaded", st.now.value);
    if (!memory.seen("requested")) memory.log("requested", next.requested_at);
    if (next.answered_at !== null && !memory.seen("answered")) memory.log("answered", next.answered_at);
    if (before?.id === next.id) {
      if (before.sharing !== next.sharing) memory.log(next.sharing ? "share_on" : "share_off", st.now.value);
      if (before.resident_away !== next.resident_away && next.phase !== "ended")
        memory.log(next.resident_away ? "away" : "back", st.now.value);
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
    st.wrapUp.value = { outcome: next.call?.outcome ?? null, note: next.call?.outcome_note ?? "" };
  }

  /** No call: the camera's light goes out. */
  #letGo() {
    this.#sharing.forget();
    this.#media.close();
    st.shareLost.value = st.ending.value = st.figuring.value = false;
    st.quality.value = null;
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
    if (!ring || st.sending.value === "ring") return;
    await this.#ask("ring", "accept", { call: ring.call, reservation: ring.reservation });
  }

  async decline() {
    const ring = st.state.value?.ring;
    if (!ring || st.sending.value === "ring") return;
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
    if (kept) memory.log("note", st.now.value, text);
    return kept;
  }

  /** Send what came of the call, and be ready for the next one. */
  async ready() {
    const { outcome, note } = st.wrapUp.value;
    if (outcome === null) {
      st.refuse("wrap_up", "wrap.choose");
      return;
    }
    if (st.sending.value === "wrap_up") return;
    const call = this.#callId();
    if (await this.#ask("wrap_up", "wrap_up", { call, outcome, note })) await this.#ask("wrap_up", "ready", { call });
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
    const { outcome, note } = st.wrapUp.value;
    if (this.#saved || outcome === null) return;
    this.#saved = true;
    void this.#ask("wrap_up", "wrap_up", { call: this.#callId(), outcome, note });
  }
}
