/** After the call: how it was (好差评), or nothing; then home. */

import { Icon, html, useEffect, useState } from "../../kit/ui.js";
import { t } from "../../kit/text.js";
import { Button, Title } from "../parts.js";
import { rate } from "../session.js";

/** @typedef {import("../../kit/messages.js").StationCall} StationCall */
/** @typedef {import("../../kit/messages.js").RatingReason} RatingReason */

const HOME_MS = 20_000;
const THANKS_MS = 4_000;
const STARS = [5, 4, 3, 2, 1];
/** @type {readonly RatingReason[]} */
const REASONS = ["waited_long", "not_solved", "not_clear", "attitude", "picture_or_sound"];
const CUT_OFF = new Set(["agent_lost", "connect_failed", "media_lost", "resident_lost"]);

/** @param {{call: StationCall, onHome: () => void, onAgain: () => void, onCallback: () => void}} props */
export function Rating({ call, onHome, onAgain, onCallback }) {
  const [stars, choose] = useState(0);
  const [reasons, because] = useState(/** @type {RatingReason[]} */ ([]));
  const [thanked, thank] = useState(call.rated);
  const [touched, touch] = useState(0);
  useEffect(() => {
    const timer = setTimeout(leave, thanked ? THANKS_MS : HOME_MS);
    return () => clearTimeout(timer);
  }, [thanked, touched]);
  // Who pressed a bad level and went away has rated: else only good ratings would count without a second press.
  const leave = () => {
    if (stars > 0 && !thanked) void rate(stars, reasons);
    onHome();
  };
  const send = async (/** @type {number} */ level, /** @type {RatingReason[]} */ why) => {
    thank(true);
    await rate(level, why);
  };
  const press = (/** @type {number} */ level) => {
    touch(touched + 1);
    if (level > 2) void send(level, []);
    else choose(level);
  };
  const flip = (/** @type {RatingReason} */ reason) => {
    touch(touched + 1);
    because(reasons.includes(reason) ? reasons.filter((one) => one !== reason) : [...reasons, reason]);
  };
  const cut = call.end_reason !== null && CUT_OFF.has(call.end_reason);
  if (thanked) return html`<${Thanks} onHome=${onHome} />`;
  if (call.answered_at === null) return html`<${NotAnswered} call=${call} onHome=${onHome} onAgain=${onAgain} onCallback=${onCallback} />`;
  return html`<main class="screen rating ${stars > 0 ? "chosen" : ""}">
    <${Title}>${cut ? t("station.rating.cut_off") : t("station.rating.title")}<//>
    ${cut && html`<p class="lead">${t("station.rating.cut_off_more")}</p>
      <${Button} kind="primary act" icon="video" onPress=${onAgain}>${t("station.rating.again")}<//>`}
    <p class="lead">${t("station.rating.question")}</p>
    <ul class="faces-row">${STARS.map(
      (level) => html`<li><button type="button" class="mood mood-${level}" aria-pressed=${level === stars}
        onClick=${() => press(level)}><${Icon} name=${`face-${level}`} /><span>${word(level)}</span></button></li>`,
    )}</ul>
    ${stars > 0 && html`<${Reasons} chosen=${reasons} onFlip=${flip} onSend=${() => send(stars, reasons)} />`}
    <${Button} kind="act" icon="home" onPress=${onHome}>${t("station.rating.skip")}<//>
  </main>`;
}

/** @param {number} level */
function word(level) {
  return [
    t("station.rating.1"), t("station.rating.2"), t("station.rating.3"), t("station.rating.4"), t("station.rating.5"),
  ][level - 1];
}

/** @param {{chosen: RatingReason[], onFlip: (reason: RatingReason) => void, onSend: () => void}} props */
function Reasons({ chosen, onFlip, onSend }) {
  return html`<div class="reasons">
    <h2>${t("station.rating.why")}</h2>
    <div class="chips" role="group" aria-label=${t("station.rating.why")}>
      ${REASONS.map((reason) => html`<${Button} icon=${chosen.includes(reason) ? "check" : "plus"}
        pressed=${chosen.includes(reason)} onPress=${() => onFlip(reason)}>${said(reason)}<//>`)}
    </div>
    <${Button} kind="primary act" icon="check" onPress=${onSend}>${t("station.rating.send")}<//>
  </div>`;
}

/** @param {RatingReason} reason */
function said(reason) {
  return {
    waited_long: t("station.rating.waited_long"),
    not_solved: t("station.rating.not_solved"),
    not_clear: t("station.rating.not_clear"),
    attitude: t("station.rating.attitude"),
    picture_or_sound: t("station.rating.picture_or_sound"),
  }[reason];
}

/** @param {{onHome: () => void}} props */
function Thanks({ onHome }) {
  return html`<main class="screen middle">
    <${Icon} name="success" />
    <${Title}>${t("station.rating.thanks")}<//>
    <p class="lead">${t("station.rating.belongings")}</p>
    <${Button} kind="primary act" icon="home" onPress=${onHome}>${t("common.home")}<//>
  </main>`;
}

/** @param {{call: StationCall, onHome: () => void, onAgain: () => void, onCallback: () => void}} props */
function NotAnswered({ call, onHome, onAgain, onCallback }) {
  if (call.end_reason === "unanswered") {
    return html`<main class="screen middle">
      <${Icon} name="clock" />
      <${Title}>${t("station.shut.unanswered")}<//>
      <p class="lead">${t("station.shut.more")}</p>
      <${Button} kind="primary act" icon="phone" onPress=${onCallback}>${t("station.callback.offer")}<//>
      <${Button} kind="act" icon="home" onPress=${onHome}>${t("common.home")}<//>
    </main>`;
  }
  return html`<main class="screen middle">
    <${Icon} name="warning" />
    <${Title}>${t("station.rating.not_connected")}<//>
    <p class="lead">${t("station.rating.not_connected_more")}</p>
    <${Button} kind="primary act" icon="video" onPress=${onAgain}>${t("station.rating.again")}<//>
    <${Button} kind="act" icon="home" onPress=${onHome}>${t("common.home")}<//>
  </main>`;
}
