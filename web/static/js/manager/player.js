// Several <video> elements in step on one clock. Touches media elements only; the page around it is player-page.js.

import { signal } from "../../vendor/signals-core.js";
import { commonDrift, correction, isNear, isOn, localTime, within } from "./timeline.js";

/**
 * @typedef {import("./timeline.js").Part} Part
 * @typedef {{part: Part, video: HTMLVideoElement}} Feed
 */

const TICK_MS = 50;
export const RATES = [1, 1.5, 2];

export class Player {
  /** @param {Feed[]} feeds @param {number} length seconds @param {() => number} now milliseconds, monotonic */
  constructor(feeds, length, now = () => performance.now()) {
    this.feeds = feeds;
    this.length = length;
    this.position = signal(0);
    this.playing = signal(false);
    this.rate = signal(1);
    /** True while one feed buffers and all the others wait for it. */
    this.held = signal(false);
    this.#now = now;
    this.#last = now();
    this.#timer = setInterval(() => this.tick(), TICK_MS);
    this.#moveAll();
  }

  #now;
  #last;
  #timer;

  play() {
    if (this.position.value >= this.length) this.seek(0);
    this.playing.value = true;
    this.#last = this.#now();
    this.tick();
  }

  pause() {
    this.playing.value = false;
    this.held.value = false;
    for (const { video } of this.feeds) video.pause();
    this.#moveAll();
  }

  toggle() {
    if (this.playing.value) this.pause();
    else this.play();
  }

  /** Move everything to a position of the call's clock. @param {number} position */
  seek(position) {
    this.position.value = within(position, this.length);
    this.#last = this.#now();
    this.#moveAll();
  }

  /** @param {number} rate one of RATES */
  setRate(rate) {
    this.rate.value = rate;
    for (const { video } of this.feeds) video.playbackRate = rate;
  }

  close() {
    clearInterval(this.#timer);
    for (const { video } of this.feeds) video.pause();
  }

  /** One step of the clock: hold or go on, start what begins, stop what ends, correct what drifted. */
  tick() {
    const now = this.#now();
    const elapsed = (now - this.#last) / 1000;
    this.#last = now;
    if (!this.playing.value) return;
    this.held.value = this.#live().some((feed) => !isReady(feed.video));
    if (this.held.value) return this.#live().forEach((feed) => feed.video.pause());
    this.#advance(elapsed);
    if (this.position.value >= this.length) return this.pause();
    this.#fetchAhead();
    for (const feed of this.feeds) this.#keepInStep(feed);
  }

  /** @param {number} elapsed seconds */
  #advance(elapsed) {
    const position = this.position.value + elapsed * this.rate.value;
    const running = this.#live().filter(({ video }) => !video.paused);
    const drifts = running.map((feed) => feed.video.currentTime - localTime(feed.part, position));
    this.position.value = within(position + commonDrift(drifts), this.length);
  }

  /** Feeds that have something to play at this position. */
  #live() {
    return this.feeds.filter(({ part, video }) => isOn(part, this.position.value) && !isOver(video));
  }

  /** @param {Feed} feed */
  #keepInStep({ part, video }) {
    if (!isOn(part, this.position.value) || isOver(video)) return video.pause();
    const local = localTime(part, this.position.value);
    const { seek, rate } = correction(video.currentTime - local, this.rate.value);
    if (seek) video.currentTime = local;
    video.playbackRate = rate;
    // A refusal (the page may not play sound yet, the element was paused meanwhile) is seen by the next tick.
    if (video.paused) video.play().catch(() => undefined);
  }

  /** Parts that have not begun wait on their first frame; those that are over stay where they are. */
  #moveAll() {
    this.#fetchAhead();
    for (const { part, video } of this.feeds) {
      const local = Math.max(0, localTime(part, this.position.value));
      if (local < part.duration && video.currentTime !== local) video.currentTime = local;
    }
  }

  /** A browser has six connections for a host: only what is on, or will be soon, may keep one. */
  #fetchAhead() {
    for (const { part, video } of this.feeds) {
      const wanted = isNear(part, this.position.value) ? "auto" : "metadata";
      if (video.preload !== wanted) video.preload = wanted;
    }
  }
}

/** A part of a killed node may be shorter than the clock believes, and a broken one must not hold the rest.
 * @param {HTMLVideoElement} video */
function isOver(video) {
  return video.ended || video.error !== null;
}

/** @param {HTMLVideoElement} video */
function isReady(video) {
  return !video.seeking && video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
}
