// The player on a call's page: the server drew the elements, this gives them life.

import { effect } from "../../vendor/signals-core.js";
import { Player } from "./player.js";
import { clock, isOn } from "./timeline.js";

/** @typedef {import("./timeline.js").Timeline} Timeline */

const STEP_S = 5;
const A_MOMENT_S = 0.5;

/**
 * Whoever came a moment after the first is seen from the start, on a first frame: nobody opens half a call.
 *
 * @param {import("./timeline.js").Part} part @param {number} position
 */
function isSeen(part, position) {
  return isOn(part, position) || (position < part.offset && part.offset < A_MOMENT_S);
}

/** @template {Element} E @param {ParentNode} root @param {string} selector @param {new () => E} type @returns {E} */
function find(root, selector, type) {
  const found = root.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`the page has no ${selector}`);
  return found;
}

/** @param {number} seconds @param {number} length */
const percent = (seconds, length) => `${(100 * seconds) / Math.max(length, 0.001)}%`;

/** @param {HTMLElement} root @param {Timeline} timeline */
function feedsOf(root, timeline) {
  return timeline.parts.map((part) => {
    const figure = find(root, `figure[data-part="${part.id}"]`, HTMLElement);
    return { part, figure, video: find(figure, "video", HTMLVideoElement) };
  });
}

/** Bars of what was recorded, with what is missing inside them. @param {HTMLElement} root @param {Timeline} timeline */
function drawLanes(root, timeline) {
  for (const part of timeline.parts) {
    const lane = find(root, `[data-lane-bar="${part.lane}"]`, HTMLElement);
    lane.append(bar("part", part.offset, part.duration, timeline.length, ""));
    for (const gap of part.gaps) {
      lane.append(bar("gap", part.offset + gap.start, gap.end - gap.start, timeline.length, gap.reason));
    }
  }
}

/** @param {string} kind @param {number} from @param {number} seconds @param {number} length @param {string} title */
function bar(kind, from, seconds, length, title) {
  const element = document.createElement("span");
  element.className = kind;
  element.title = title;
  element.style.left = percent(from, length);
  element.style.width = percent(seconds, length);
  return element;
}

/** @param {HTMLElement} root @param {Timeline} timeline @param {Player} player */
function drawMarks(root, timeline, player) {
  const lane = find(root, "[data-marks]", HTMLElement);
  for (const mark of timeline.marks.filter(({ at }) => at >= 0)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "mark";
    button.dataset.kind = mark.kind;
    button.dataset.label = `${clock(mark.at)} ${mark.label}`;
    button.setAttribute("aria-label", button.dataset.label);
    // The list beside the player reaches every event by keyboard.
    button.tabIndex = -1;
    button.style.left = percent(mark.at, timeline.length);
    if (mark.at > timeline.length * 0.6) button.classList.add("mark-late");
    button.addEventListener("click", () => player.seek(mark.at));
    lane.append(button);
  }
}

/** @param {HTMLElement} root @param {Player} player */
function bindButtons(root, player) {
  find(root, "[data-play]", HTMLButtonElement).addEventListener("click", () => player.toggle());
  for (const button of root.querySelectorAll("[data-rate]")) {
    button.addEventListener("click", () => player.setRate(Number(button.getAttribute("data-rate"))));
  }
  for (const button of document.querySelectorAll("[data-at]")) {
    button.addEventListener("click", () => player.seek(Number(button.getAttribute("data-at"))));
  }
}

/** @param {HTMLElement} root @param {ReturnType<typeof feedsOf>} feeds */
function bindSound(root, feeds) {
  for (const slider of root.querySelectorAll("input[data-volume]")) {
    if (!(slider instanceof HTMLInputElement)) continue;
    const lane = slider.dataset.volume;
    const mute = find(root, `[data-mute="${lane}"]`, HTMLButtonElement);
    const videos = feeds.filter((feed) => feed.part.lane === lane).map((feed) => feed.video);
    slider.addEventListener("input", () => videos.forEach((video) => (video.volume = slider.valueAsNumber)));
    mute.addEventListener("click", () => {
      const muted = mute.getAttribute("aria-pressed") !== "true";
      mute.setAttribute("aria-pressed", String(muted));
      videos.forEach((video) => (video.muted = muted));
    });
  }
}

/** A click or a drag anywhere on the lanes moves everything there.
 * @param {HTMLElement} root @param {Timeline} timeline @param {Player} player */
function bindTimeline(root, timeline, player) {
  const strip = find(root, "[role=slider]", HTMLElement);
  const seekTo = (/** @type {PointerEvent} */ event) => {
    const { left, width } = strip.getBoundingClientRect();
    player.seek(((event.clientX - left) / width) * timeline.length);
  };
  strip.addEventListener("pointerdown", (event) => {
    strip.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  strip.addEventListener("pointermove", (event) => {
    if (strip.hasPointerCapture(event.pointerId)) seekTo(event);
  });
}

/** @param {Player} player */
function bindKeys(player) {
  document.addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, select, textarea");
    if (typing || event.ctrlKey || event.altKey || event.metaKey) return;
    // Space on a focused button presses that button.
    const pressing = event.target instanceof Element && event.target.closest("button, a, summary");
    if (event.key === " " && !pressing) player.toggle();
    else if (event.key === "ArrowLeft") player.seek(player.position.value - STEP_S);
    else if (event.key === "ArrowRight") player.seek(player.position.value + STEP_S);
    else return;
    event.preventDefault();
  });
}

/** @param {HTMLElement} root @param {Timeline} timeline @param {Player} player @param {ReturnType<typeof feedsOf>} feeds */
function follow(root, timeline, player, feeds) {
  const stage = find(root, "[data-stage]", HTMLElement);
  const head = find(root, "[data-head]", HTMLElement);
  const strip = find(root, "[role=slider]", HTMLElement);
  const time = find(root, "[data-time]", HTMLElement);
  const play = find(root, "[data-play]", HTMLButtonElement);
  const events = [...document.querySelectorAll("[data-at]")];

  effect(() => {
    const position = player.position.value;
    for (const { part, figure } of feeds) figure.hidden = !isSeen(part, position);
    const shown = feeds.filter(({ part }) => isSeen(part, position));
    stage.dataset.layout = shown.some(({ part }) => part.kind === "share") ? "share" : "people";
    stage.dataset.shown = String(shown.length);
    head.style.left = percent(position, timeline.length);
    time.textContent = `${clock(position)} / ${clock(timeline.length)}`;
    strip.setAttribute("aria-valuenow", position.toFixed(1));
    strip.setAttribute("aria-valuetext", clock(position));
    const last = events.filter((button) => Number(button.getAttribute("data-at")) <= position + 0.05).at(-1);
    for (const button of events) button.toggleAttribute("data-current", button === last);
  });
  effect(() => {
    root.toggleAttribute("data-playing", player.playing.value);
    play.setAttribute("aria-label", (player.playing.value ? play.dataset.pauseLabel : play.dataset.playLabel) ?? "");
  });
  effect(() => {
    find(root, "[data-held]", HTMLElement).hidden = !player.held.value;
  });
  effect(() => {
    for (const button of root.querySelectorAll("[data-rate]")) {
      button.setAttribute("aria-pressed", String(Number(button.getAttribute("data-rate")) === player.rate.value));
    }
  });
}

/** @param {ReturnType<typeof feedsOf>} feeds */
function tellBroken(feeds) {
  for (const { figure, video } of feeds) {
    const tell = () => {
      find(figure, "[data-broken]", HTMLElement).hidden = video.error === null;
    };
    video.addEventListener("error", tell);
    tell(); // it may have failed before this script came
  }
}

/** @param {HTMLElement} root */
export function start(root) {
  /** @type {Timeline} */
  const timeline = JSON.parse(root.dataset.timeline ?? "");
  const feeds = feedsOf(root, timeline);
  const player = new Player(feeds, timeline.length);
  drawLanes(root, timeline);
  drawMarks(root, timeline, player);
  bindButtons(root, player);
  bindSound(root, feeds);
  bindTimeline(root, timeline, player);
  bindKeys(player);
  tellBroken(feeds);
  follow(root, timeline, player, feeds);
}

const root = document.querySelector("[data-timeline]");
if (root instanceof HTMLElement) start(root);
