/**
 * How what one sends is sent: how much of the line it may take, what gives way first when the line is narrow, and in
 * which codec a screen goes. Everything here is done by RTCRtpSender.setParameters, nothing is negotiated.
 */

import { ENOUGH, Nudge, nudged } from "./nudge.js";

/** @typedef {import("./media.js").Source} Source */
/** @typedef {import("./messages.js").VideoCodec} VideoCodec */
/**
 * @typedef {object} Rule
 * @property {number} most bit/s; what a picture begins with is in the offer (media/sdp.py, START_KBPS)
 * @property {RTCPriorityType} priority
 * @property {string} hint of the track: what its content is
 * @property {RTCDegradationPreference | null} degradation
 */

/**
 * A voice comes before every picture. A face may lose size as well as smoothness: what is held before the camera (a
 * form, an identity card) must be readable. A screen must be sharp.
 * @type {Record<Source, Rule>}
 */
export const RULES = {
  mic: { most: 40_000, priority: "high", hint: "speech", degradation: null },
  camera: { most: ENOUGH, priority: "medium", hint: "motion", degradation: "balanced" },
  share: { most: ENOUGH, priority: "medium", hint: "detail", degradation: "maintain-resolution" },
};

/** What is sent on one connection. */
export class Sending {
  /** @type {RTCPeerConnection} */ #pc;
  /** @type {(source: Source) => RTCRtpSender | undefined} */ #senderOf;
  /** @type {readonly VideoCodec[]} */ #codecs;
  /** Changes of parameters are made one after another: each is of what was read right before. */
  #last = Promise.resolve();
  /** @type {Nudge | null} */ #nudge = null;
  #stopped = false;

  /**
   * @param {RTCPeerConnection} pc
   * @param {(source: Source) => RTCRtpSender | undefined} senderOf
   * @param {readonly VideoCodec[]} codecs in which a screen may be sent, best first
   */
  constructor(pc, senderOf, codecs) {
    this.#pc = pc;
    this.#senderOf = senderOf;
    this.#codecs = codecs;
  }

  /** Keep to the rules from now on; once the offer is answered. */
  async begin() {
    const sources = /** @type {Source[]} */ (Object.keys(RULES));
    await Promise.all(sources.map((source) => this.#change(source, (parameters) => ruled(parameters, source))));
    await this.shareIn(this.#codecs);
    if (this.#stopped) return;
    this.#nudge = new Nudge(
      async () => (await this.#pc.getStats()).values(),
      (source) => this.#change(source, ({ encodings: [encoding] }) => {
        encoding.maxBitrate = nudged(encoding.maxBitrate);
        return true;
      }),
      (source) => source === "camera" && this.#enlarge(source),
    );
  }

  /** In which codecs a screen may be sent from now on, best first. @param {readonly VideoCodec[]} codecs */
  async shareIn(codecs) {
    this.#codecs = codecs;
    await this.#change("share", (parameters) => inCodec(parameters, this.#codecs));
  }

  /** @param {Source} source */
  #enlarge(source) {
    void this.#change(source, (parameters) => {
      parameters.degradationPreference = "maintain-framerate";
      return true;
    });
    return this.#change(source, (parameters) => ruled(parameters, source));
  }

  stop() {
    this.#stopped = true;
    this.#nudge?.stop();
  }

  /**
   * A browser that refuses goes on as before: none of this is needed for a call.
   * @param {Source} source @param {(parameters: RTCRtpSendParameters) => boolean} by false: nothing is to be changed
   */
  #change(source, by) {
    this.#last = this.#last.then(async () => {
      const sender = this.#senderOf(source);
      if (!sender || this.#stopped) return;
      const parameters = sender.getParameters();
      if (!parameters.encodings?.length || !by(parameters)) return;
      await sender.setParameters(parameters).catch(() => undefined);
    });
    return this.#last;
  }
}

/** @param {RTCRtpSendParameters} parameters @param {Source} source */
function ruled(parameters, source) {
  const { most, priority, degradation } = RULES[source];
  for (const encoding of parameters.encodings) {
    encoding.maxBitrate = most;
    encoding.priority = encoding.networkPriority = priority;
  }
  if (degradation) parameters.degradationPreference = degradation;
  return true;
}

/** @typedef {RTCRtpEncodingParameters & {codec?: RTCRtpCodec}} Encoding with what the type checker does not know yet */

/**
 * The first of these that this connection can send; without any, whatever was negotiated first (VP8).
 * @param {RTCRtpSendParameters} parameters @param {readonly VideoCodec[]} codecs
 */
function inCodec(parameters, codecs) {
  const encoding = /** @type {Encoding} */ (parameters.encodings[0]);
  const known = codecs.map((name) => parameters.codecs.find(({ mimeType }) => mimeType === `video/${name}`));
  const found = known.find((codec) => codec !== undefined);
  if (found?.mimeType === encoding.codec?.mimeType) return false;
  if (found) encoding.codec = found;
  else delete encoding.codec;
  return true;
}
