/**
 * One person's media connection to the node. The node offers, once per generation; the browser answers, once. What is
 * seen where afterwards is a matter of slots, never of a new negotiation (media/protocol.py).
 */

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
 * @property {(generation: number, sdp: string) => void} onAnswer
 * @property {(generation: number) => void} onFailed once per generation: the connection is gone, ask for another
 * @property {() => void} onRemote a remote track came, or its media started or stopped
 */

/** @type {readonly Source[]} */
const SOURCES = ["mic", "camera", "share"];
const GATHER_MS = 300;
const CONNECT_MS = 12_000;
const DISCONNECTED_MS = 3_000;
const MAX_BITRATE = { mic: 40_000, camera: 1_500_000, share: 2_500_000 };
/** A face must move, a form must be sharp. */
const HINT = { mic: "speech", camera: "motion", share: "detail" };
const DEGRADATION = { mic: null, camera: "maintain-framerate", share: "maintain-resolution" };

export class Leg {
  /** @type {Callbacks} */ #callbacks;
  /** @type {Record<Source, MediaStreamTrack | null>} */ #local = { mic: null, camera: null, share: null };
  /** @type {RTCPeerConnection | null} */ #pc = null;
  #generation = 0;
  #failed = false;
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
    if (track) track.contentHint = HINT[source];
    this.#local[source] = track;
    await this.#sender(source)?.replaceTrack(track);
  }

  /** @param {Source} source */
  local(source) {
    return this.#local[source];
  }

  /**
   * Replaces the connection by one that fits this offer and answers it. An older or repeated offer is ignored.
   * @param {{generation: number, sdp: string, ice_servers: ReadonlyArray<{urls: ReadonlyArray<string>,
   *   username?: string | null, credential?: string | null}>}} offer
   */
  async offer({ generation, sdp, ice_servers }) {
    if (generation <= this.#generation) return;
    this.#drop();
    this.#generation = generation;
    this.#failed = false;
    const pc = new RTCPeerConnection({ iceServers: ice_servers.map(iceServer), bundlePolicy: "max-bundle" });
    this.#pc = pc;
    pc.ontrack = ({ track }) => this.#watch(pc, track);
    pc.onconnectionstatechange = () => this.#changed(pc);
    this.#deadline(CONNECT_MS);
    try {
      await this.#answer(pc, sdp);
    } catch (fault) {
      if (pc !== this.#pc) return; // closed under our hands by a newer offer
      console.error("the offer could not be answered", fault);
      this.#fail();
    }
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
    this.#generation = 0;
  }

  /** @param {RTCPeerConnection} pc @param {string} sdp */
  async #answer(pc, sdp) {
    await pc.setRemoteDescription({ type: "offer", sdp });
    for (const source of SOURCES) {
      const transceiver = this.#transceiver(source);
      if (!transceiver) continue;
      transceiver.direction = "sendrecv";
      await transceiver.sender.replaceTrack(this.#local[source]);
    }
    await pc.setLocalDescription(await pc.createAnswer());
    await Promise.all(SOURCES.map((source) => limit(this.#sender(source), source)));
    await gathered(pc);
    if (pc !== this.#pc || !pc.localDescription) return;
    this.#callbacks.onAnswer(this.#generation, pc.localDescription.sdp);
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
    if (pc.connectionState === "failed" || pc.connectionState === "closed") this.#fail(); // closed: by the node
    else if (pc.connectionState === "disconnected") this.#deadline(DISCONNECTED_MS);
    else if (pc.connectionState === "connected") clearTimeout(this.#timer);
  }

  /** @param {number} ms */
  #deadline(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(), ms);
  }

  #fail() {
    clearTimeout(this.#timer);
    if (this.#failed || !this.#pc) return;
    this.#failed = true;
    this.#callbacks.onFailed(this.#generation);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#last = null;
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

/** @param {RTCRtpSender | undefined} sender @param {Source} source */
async function limit(sender, source) {
  if (!sender) return;
  const parameters = /** @type {any} */ (sender.getParameters());
  if (!parameters.encodings?.length) return;
  for (const encoding of parameters.encodings) encoding.maxBitrate = MAX_BITRATE[source];
  if (DEGRADATION[source]) parameters.degradationPreference = DEGRADATION[source];
  await sender.setParameters(parameters);
}

/** Candidates of this machine come at once; a slow TURN server is not waited for. @param {RTCPeerConnection} pc */
function gathered(pc) {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, GATHER_MS);
    pc.addEventListener("icegatheringstatechange", () => {
      if (pc.iceGatheringState !== "complete") return;
      clearTimeout(timer);
      resolve(undefined);
    });
  });
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
