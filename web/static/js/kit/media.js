/**
 * One person's media connection to the node. The node offers, once per generation; the browser answers, once. What is
 * seen where afterwards is a matter of slots, never of a new negotiation (media/protocol.py). When the network changes
 * the connection stays and finds a new way (ICE restart: the node offers once more); only when that does not help
 * either, another connection is asked for.
 */

import { bePatient } from "./patience.js";
import { RULES, Sending } from "./sending.js";

/** @typedef {"mic" | "camera" | "share"} Source what can be sent */
/** @typedef {Source | "audio2" | "video2" | "audio3" | "video3"} Mid the fixed m-lines of the node's offer */
/** @typedef {"denied" | "missing" | "busy" | "failed"} FaultName */
/** @typedef {{device: "mic" | "camera", name: FaultName}} Fault why a device gave nothing */
/**
 * @typedef {object} Quality what `stats` found since it was last asked
 * @property {"good" | "weak" | "bad"} verdict
 * @property {number | null} roundTripMs
 * @property {number} lossIn fraction of packets, 0 to 1
 * @property {number} lossOut
 * @property {number} kbpsIn
 * @property {number} kbpsOut
 * @property {number} framesDecoded video frames since the connection was made, all m-lines
 */
/**
 * @typedef {object} Callbacks
 * @property {(generation: number, sdp: string, restart: number) => void} onAnswer
 * @property {(generation: number) => Promise<unknown>} onRestart ask for new ICE credentials; settled when the service
 *   has heard it
 * @property {(generation: number) => void} onFailed once per generation: the connection is gone, ask for another
 * @property {() => void} onRemote a remote track came, or its media started or stopped
 */

/** @type {readonly Source[]} */
const SOURCES = ["mic", "camera", "share"];
const CONNECT_MS = 12_000;
const RESTART_AFTER_MS = 1_500; // without a way through
const RESTART_AGAIN_MS = 2_000; // the service counts more than one in this time as one
const RESTART_HEARD_MS = 12_000; // for the service to hear of it: our line to it may be cut as well
const RESTART_MS = 4_000; // from then on, for the new way to be found

export class Leg {
  /** @type {Callbacks} */ #callbacks;
  /** @type {Record<Source, MediaStreamTrack | null>} */ #local = { mic: null, camera: null, share: null };
  /** @type {readonly import("./messages.js").VideoCodec[]} */ #shareCodecs = [];
  /** @type {RTCPeerConnection | null} */ #pc = null;
  /** @type {Sending | null} */ #sending = null;
  #generation = 0;
  #restart = 0;
  #restarting = false;
  #restartedAt = -Infinity;
  #wasConnected = false;
  #failed = false;
  /** @type {AbortController | null} */ #listening = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */ #timer;
  /** @type {Counters | null} */ #last = null;

  /** @param {Callbacks} callbacks */
  constructor(callbacks) {
    this.#callbacks = callbacks;
  }

  /** The generation of the last offer, 0 before the first. */
  get generation() {
    return this.#generation;
  }

  /** @returns {RTCPeerConnectionState} */
  get state() {
    return this.#pc?.connectionState ?? "new";
  }

  /**
   * What is sent from now on; null sends nothing. Takes effect at once, without negotiation.
   * @param {Source} source @param {MediaStreamTrack | null} track
   */
  async setLocal(source, track) {
    if (track) track.contentHint = RULES[source].hint;
    this.#local[source] = track;
    await this.#sender(source)?.replaceTrack(track);
  }

  /**
   * In which codecs a screen may be sent, best first: said as often as one likes, in force at once. None: VP8.
   * @param {readonly import("./messages.js").VideoCodec[]} codecs
   */
  async shareIn(codecs) {
    if (String(codecs) === String(this.#shareCodecs)) return;
    this.#shareCodecs = codecs;
    await this.#sending?.shareIn(codecs);
  }

  /** @param {Source} source */
  local(source) {
    return this.#local[source];
  }

  /**
   * Replaces the connection by one that fits this offer and answers it; an offer with a higher `restart` for the
   * connection that we have is answered by that one. An older or repeated offer is ignored.
   * @param {{generation: number, restart: number, sdp: string, ice_servers: ReadonlyArray<{urls: ReadonlyArray<string>,
   *   username?: string | null, credential?: string | null}>}} offer
   */
  async offer({ generation, restart, sdp, ice_servers }) {
    const servers = { iceServers: ice_servers.map(iceServer), bundlePolicy: /** @type {const} */ ("max-bundle") };
    if (this.#pc && generation === this.#generation && restart > this.#restart) {
      const pc = this.#pc;
      this.#restart = restart;
      await this.#answered(pc, () => this.#answerRestart(pc, sdp, servers));
      return;
    }
    if (generation <= this.#generation) return;
    this.#drop();
    this.#generation = generation;
    this.#restart = restart;
    const pc = new RTCPeerConnection(servers);
    this.#pc = pc;
    bePatient(pc);
    pc.ontrack = ({ track }) => this.#watch(pc, track);
    pc.onconnectionstatechange = () => this.#changed(pc);
    this.#listen();
    this.#deadline(CONNECT_MS);
    // The restart of a connection that this page never had is of no use here.
    if (restart > 0) this.#fail();
    else await this.#answered(pc, () => this.#answer(pc, sdp));
  }

  /** The network is another one: keep the connection and find it a new way. */
  restart() {
    const pc = this.#pc;
    if (!pc || this.#failed || !this.#wasConnected) return;
    const wait = this.#restartedAt + RESTART_AGAIN_MS - performance.now();
    if (wait > 0) {
      this.#after(wait, () => this.restart());
      return;
    }
    this.#restarting = true;
    this.#restartedAt = performance.now();
    this.#deadline(RESTART_HEARD_MS);
    this.#callbacks.onRestart(this.#generation).then(
      () => pc === this.#pc && this.#restarting && this.#deadline(RESTART_MS),
      () => pc === this.#pc && this.#restarting && this.#expire(pc),
    );
  }

  /** The track on this m-line of the present connection; it is muted while nothing comes. @param {Mid} mid */
  remote(mid) {
    return this.#transceiver(mid)?.receiver.track ?? null;
  }

  /** @returns {Promise<Quality | null>} null without a connection */
  async stats() {
    const pc = this.#pc;
    if (!pc) return null;
    const now = counted(await pc.getStats());
    const before = this.#last ?? now;
    this.#last = now;
    return quality(before, now);
  }

  /** Ends the connection. Local tracks are the caller's to stop. */
  close() {
    this.#drop();
    this.#local = { mic: null, camera: null, share: null };
    this.#shareCodecs = [];
    this.#generation = this.#restart = 0;
  }

  /** @param {RTCPeerConnection} pc @param {() => Promise<void>} answer */
  async #answered(pc, answer) {
    try {
      await answer();
    } catch (fault) {
      if (pc !== this.#pc) return; // closed under our hands by a newer offer
      console.error("the offer could not be answered", fault);
      this.#fail();
    }
  }

  /** @param {RTCPeerConnection} pc @param {string} sdp @param {RTCConfiguration} servers */
  async #answerRestart(pc, sdp, servers) {
    const restart = this.#restart;
    pc.setConfiguration(servers); // credentials for TURN may have run out meanwhile
    await pc.setRemoteDescription({ type: "offer", sdp });
    await pc.setLocalDescription(await pc.createAnswer());
    if (pc !== this.#pc || restart !== this.#restart || !pc.localDescription) return;
    this.#callbacks.onAnswer(this.#generation, pc.localDescription.sdp, restart);
  }

  /**
   * The answer need not name a way to us and waits for no candidates: we do the asking, and the node (ICE-lite) answers
   * whoever knows its password.
   * @param {RTCPeerConnection} pc @param {string} sdp
   */
  async #answer(pc, sdp) {
    await pc.setRemoteDescription({ type: "offer", sdp });
    for (const source of SOURCES) {
      const transceiver = this.#transceiver(source);
      if (!transceiver) continue;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(this.#local[source]);
    }
    await pc.setLocalDescription(await pc.createAnswer());
    if (pc !== this.#pc || !pc.localDescription) return;
    this.#sending = new Sending(pc, (source) => this.#sender(source), this.#shareCodecs);
    void this.#sending.begin(); // done long before there is a connection: the answer does not wait
    this.#callbacks.onAnswer(this.#generation, pc.localDescription.sdp, 0);
    this.#callbacks.onRemote();
  }

  /** @param {string} mid */
  #transceiver(mid) {
    return this.#pc?.getTransceivers().find((transceiver) => transceiver.mid === mid);
  }

  /** @param {Source} source */
  #sender(source) {
    return this.#transceiver(source)?.sender;
  }

  /** @param {RTCPeerConnection} pc @param {MediaStreamTrack} track */
  #watch(pc, track) {
    const tell = () => {
      if (pc === this.#pc) this.#callbacks.onRemote();
    };
    track.onmute = track.onunmute = track.onended = tell;
  }

  /** @param {RTCPeerConnection} pc */
  #changed(pc) {
    if (pc !== this.#pc) return;
    switch (pc.connectionState) {
      case "connected":
        clearTimeout(this.#timer);
        this.#wasConnected = true;
        this.#restarting = false;
        break;
      case "disconnected":
        if (!this.#restarting) this.#after(RESTART_AFTER_MS, () => this.restart());
        break;
      case "failed": // of ICE: there may be another way; of DTLS: there is none
        if (pc.iceConnectionState === "failed" && this.#wasConnected) this.restart();
        else this.#fail();
        break;
      case "closed": // by the node
        this.#fail();
    }
  }

  /** A network that came, or another one (Wi-Fi to cable): nobody waits until the old way is found to be dead. */
  #listen() {
    const listening = (this.#listening = new AbortController());
    const { signal } = listening;
    addEventListener("online", () => this.restart(), { signal });
    const network = /** @type {any} */ (navigator).connection;
    let before = network?.type;
    network?.addEventListener(
      "change",
      () => {
        if (network.type !== before) this.restart(); // it also speaks of mere changes of speed
        before = network.type;
      },
      { signal },
    );
  }

  /** @param {number} ms @param {() => void} run */
  #after(ms, run) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, ms);
  }

  /** @param {number} ms */
  #deadline(ms) {
    const pc = this.#pc;
    this.#after(ms, () => pc && this.#expire(pc));
  }

  /** Time is up: whoever is connected needs nothing more. @param {RTCPeerConnection} pc */
  #expire(pc) {
    this.#restarting = false;
    if (pc.connectionState !== "connected") this.#fail();
  }

  #fail() {
    clearTimeout(this.#timer);
    if (this.#failed || !this.#pc) return;
    this.#failed = true;
    this.#callbacks.onFailed(this.#generation);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#listening?.abort();
    this.#sending?.stop();
    this.#listening = this.#last = this.#sending = null;
    this.#failed = this.#restarting = this.#wasConnected = false;
    this.#restartedAt = -Infinity;
    const pc = this.#pc;
    this.#pc = null;
    if (!pc) return;
    pc.ontrack = pc.onconnectionstatechange = null;
    pc.close();
  }
}

/** @param {{urls: ReadonlyArray<string>, username?: string | null, credential?: string | null}} server @returns {RTCIceServer} */
function iceServer({ urls, username, credential }) {
  return username && credential ? { urls: [...urls], username, credential } : { urls: [...urls] };
}

// --- how good it is -----------------------------------------------------------------------------

/**
 * @typedef {{at: number, received: number, lost: number, bytesIn: number, bytesOut: number, framesDecoded: number,
 *   lossOut: number, roundTripMs: number | null, available: number | null}} Counters
 */

/** @param {RTCStatsReport} report @returns {Counters} */
function counted(report) {
  /** @type {Counters} */
  const sum = {
    at: performance.now(), received: 0, lost: 0, bytesIn: 0, bytesOut: 0, framesDecoded: 0,
    lossOut: 0, roundTripMs: null, available: null,
  };
  for (const entry of report.values()) {
    if (entry.type === "inbound-rtp") {
      sum.received += entry.packetsReceived ?? 0;
      sum.lost += entry.packetsLost ?? 0;
      sum.bytesIn += entry.bytesReceived ?? 0;
      sum.framesDecoded += entry.framesDecoded ?? 0;
    } else if (entry.type === "outbound-rtp") {
      sum.bytesOut += entry.bytesSent ?? 0;
    } else if (entry.type === "remote-inbound-rtp") {
      sum.lossOut = Math.max(sum.lossOut, entry.fractionLost ?? 0);
    } else if (entry.type === "candidate-pair" && entry.nominated && entry.state === "succeeded") {
      if (entry.currentRoundTripTime !== undefined) sum.roundTripMs = entry.currentRoundTripTime * 1000;
      sum.available = entry.availableOutgoingBitrate ?? null;
    }
  }
  return sum;
}

/** @param {Counters} before @param {Counters} now @returns {Quality} */
function quality(before, now) {
  const received = Math.max(0, now.received - before.received);
  const lost = Math.max(0, now.lost - before.lost);
  const seconds = Math.max(0.001, (now.at - before.at) / 1000);
  const lossIn = received + lost === 0 ? 0 : lost / (received + lost);
  const silent = seconds > 1 && received === 0 && now.received > 0;
  const trip = now.roundTripMs ?? 0;
  const bad = silent || lossIn > 0.15 || now.lossOut > 0.15 || trip > 1_200;
  const narrow = now.available !== null && now.available < 150_000;
  const weak = narrow || lossIn > 0.05 || now.lossOut > 0.05 || trip > 500;
  return {
    verdict: bad ? "bad" : weak ? "weak" : "good",
    roundTripMs: now.roundTripMs,
    lossIn,
    lossOut: now.lossOut,
    kbpsIn: ((now.bytesIn - before.bytesIn) * 8) / 1000 / seconds,
    kbpsOut: ((now.bytesOut - before.bytesOut) * 8) / 1000 / seconds,
    framesDecoded: now.framesDecoded,
  };
}

// --- the person's own devices -------------------------------------------------------------------

/** @type {Record<string, FaultName>} DOMException names of getUserMedia */
const FAULTS = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/**
 * @typedef {object} Wanted
 * @property {string} [micId] deviceId
 * @property {string} [cameraId]
 * @property {number} [width]
 * @property {number} [height]
 * @property {number} [frameRate]
 */

/**
 * Microphone and camera, as far as they are to be had: one that fails does not take the other with it.
 *
 * @param {Wanted} [wanted]
 * @returns {Promise<{mic: MediaStreamTrack | null, camera: MediaStreamTrack | null, faults: Fault[]}>}
 */
export async function getLocalMedia({ micId, cameraId, width = 1280, height = 720, frameRate = 30 } = {}) {
  const audio = {
    echoCancellation: true, noiseSuppression: true, autoGainControl: true,
    ...(micId && { deviceId: { exact: micId } }),
  };
  const video = {
    width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: frameRate, max: frameRate },
    ...(cameraId && { deviceId: { exact: cameraId } }),
  };
  try {
    const both = await navigator.mediaDevices.getUserMedia({ audio, video });
    return { mic: both.getAudioTracks()[0] ?? null, camera: both.getVideoTracks()[0] ?? null, faults: [] };
  } catch {
    const [mic, camera] = await Promise.all([one("mic", { audio }), one("camera", { video })]);
    return { mic: mic.track, camera: camera.track, faults: [...mic.faults, ...camera.faults] };
  }
}

/**
 * @param {"mic" | "camera"} device @param {MediaStreamConstraints} constraints
 * @returns {Promise<{track: MediaStreamTrack | null, faults: Fault[]}>}
 */
async function one(device, constraints) {
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    return { track: stream.getTracks()[0] ?? null, faults: [] };
  } catch (fault) {
    const name = FAULTS[/** @type {Error} */ (fault).name] ?? "failed";
    return { track: null, faults: [{ device, name }] };
  }
}

/** @param {ReadonlyArray<MediaStreamTrack | null>} tracks */
export function stopTracks(...tracks) {
  for (const track of tracks) track?.stop();
}
