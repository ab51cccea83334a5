// The call's clock, in seconds from the first recorded moment. Pure: knows no DOM and reads no clock.

/**
 * @typedef {{start: number, end: number, track: string, reason: string}} Gap  seconds from the part's start
 * @typedef {{id: string, lane: string, kind: "camera" | "share", offset: number, duration: number, gaps: Gap[]}} Part
 * @typedef {{at: number, kind: string, label: string}} Mark
 * @typedef {{length: number, parts: Part[], marks: Mark[]}} Timeline
 */

/** Beyond this many seconds a feed is moved at once; below, it is nudged and nobody hears it. */
export const SEEK_ABOVE = 0.5;
/** Closer than this counts as in step: a frame of video lasts 0.033 to 0.04 s. */
const IN_STEP = 0.02;
const MOST_NUDGE = 0.08;

/** @param {Part} part @param {number} position */
export function localTime(part, position) {
  return position - part.offset;
}

/** Whether a part has something to show at this position. @param {Part} part @param {number} position */
export function isOn(part, position) {
  const local = localTime(part, position);
  return local >= 0 && local < part.duration;
}

/** Whether it is on, or will be in less than this many seconds. @param {Part} part @param {number} position */
export function isNear(part, position, ahead = 10) {
  const local = localTime(part, position);
  return local >= -ahead && local < part.duration;
}

/** @param {number} position @param {number} length */
export function within(position, length) {
  return Math.min(Math.max(position, 0), length);
}

/**
 * What a feed that is `drift` seconds ahead of the clock (negative: behind) has to do to be in step again.
 * @param {number} drift @param {number} rate the rate that the viewer chose
 * @returns {{seek: boolean, rate: number}}
 */
export function correction(drift, rate) {
  if (Math.abs(drift) > SEEK_ABOVE) return { seek: true, rate };
  if (Math.abs(drift) <= IN_STEP) return { seek: false, rate };
  const nudge = Math.min(Math.max(-drift, -MOST_NUDGE), MOST_NUDGE);
  return { seek: false, rate: rate * (1 + nudge) };
}

/**
 * How far the clock itself is to be moved: by what the feeds that are roughly in step have in common. A browser
 * that starts or decodes all of them a little late slows the clock down instead of tearing at every feed.
 * @param {number[]} drifts
 */
export function commonDrift(drifts) {
  const close = drifts.filter((drift) => Math.abs(drift) <= SEEK_ABOVE);
  return close.length === 0 ? 0 : close.reduce((sum, drift) => sum + drift, 0) / close.length;
}

/** 0:07, 12:34, 1:02:03; before the first recorded moment -0:12. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(Math.abs(seconds));
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const text = hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
  return seconds <= -1 ? `-${text}` : text;
}
