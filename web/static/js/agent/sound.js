/**
 * The ring tone and the test sound, synthesised. Two soft notes, repeated every two seconds until stopped.
 */

import { sendTo } from "./devices.js";

const EVERY_MS = 2000;
const NOTES = [
  { hz: 784, at: 0, for: 0.35 },
  { hz: 988, at: 0.22, for: 0.35 },
  { hz: 784, at: 0.6, for: 0.35 },
  { hz: 988, at: 0.82, for: 0.5 },
];

/** @type {AudioContext | null} */
let context = null;

/** The page's one context; browsers keep it silent until the person has touched the page. */
function audio() {
  context ??= new AudioContext();
  return context;
}

/** @param {AudioContext} ctx @param {{hz: number, at: number, for: number}} note @param {number} volume */
function strike(ctx, note, volume) {
  const start = ctx.currentTime + note.at;
  const gain = new GainNode(ctx, { gain: 0 });
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(volume, start + 0.015);
  gain.gain.exponentialRampToValueAtTime(0.001, start + note.for);
  for (const [ratio, share] of [
    [1, 0.8],
    [2, 0.2],
  ]) {
    const tone = new OscillatorNode(ctx, { frequency: note.hz * ratio });
    tone.connect(new GainNode(ctx, { gain: share })).connect(gain);
    tone.start(start);
    tone.stop(start + note.for);
  }
  gain.connect(ctx.destination);
}

/** Whether the browser lets the page make a sound now. */
export function audible() {
  return audio().state === "running";
}

/** Call on any touch or key: it is what browsers wait for before they let a page ring. */
export async function unlock() {
  if (!audible()) await audio().resume();
}

/** @param {string} speaker a device id, "" for the default */
export async function testSound(speaker) {
  await audio().resume();
  await sendTo(audio(), speaker);
  for (const note of NOTES.slice(0, 2)) strike(audio(), note, 0.35);
}

/**
 * Ring until the returned function is called.
 *
 * @param {string} speaker
 * @returns {() => void}
 */
export function ring(speaker) {
  void sendTo(audio(), speaker);
  const round = () => {
    if (audible()) for (const note of NOTES) strike(audio(), note, 0.3);
  };
  round();
  const timer = setInterval(round, EVERY_MS);
  return () => clearInterval(timer);
}
