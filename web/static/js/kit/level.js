/** How loud a track is, for a meter beside the microphone's name. */

const EVERY_MS = 100;
const FLOOR_DB = -60;

export class LevelMeter {
  /** @type {AudioContext} */ #context;
  /** @type {ReturnType<typeof setInterval>} */ #timer;

  /** @param {MediaStreamTrack} track @param {(level: number) => void} onLevel 0 (silent) to 1 (full scale) */
  constructor(track, onLevel) {
    this.#context = new AudioContext();
    const analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.#timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      onLevel(level(samples));
    }, EVERY_MS);
  }

  close() {
    clearInterval(this.#timer);
    void this.#context.close();
  }
}

/** @param {Float32Array} samples */
function level(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
  const db = 10 * Math.log10(power + 1e-12);
  return Math.min(1, Math.max(0, 1 - db / FLOOR_DB));
}
