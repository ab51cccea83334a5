/** Everybody but the resident: a card each, with the picture unless that is the large one, and what I may do. */

import { html, Icon, Picture } from "../../kit/ui.js";
import { mayOwn } from "../people.js";
import { sending } from "../state.js";
import { pick, t } from "../text.js";
import { Act } from "./parts.js";

/** @typedef {import("../desk.js").Desk} Desk */
/** @typedef {import("../../kit/messages.js").AgentCall} Call */
/** @typedef {import("../../kit/messages.js").PersonView} Person */

/** @param {{desk: Desk, call: Call, person: Person, track: MediaStreamTrack | null, large: boolean}} props */
export function PersonCard({ desk, call, person, track, large }) {
  const name = pick(person.name);
  return html`<figure class="small party" data-participant=${person.participant} data-large=${large} data-testid="person">
    ${!large && html`<div class="face">${track !== null ? html`<${Picture} track=${track} label=${name} />` : html`<${Faceless} person=${person} />`}</div>`}
    <figcaption>
      <b>${!person.mic && html`<${Icon} name="mic-off" label=${t("person.muted")} />`}${name}</b>
      ${person.owner && html`<em>${t("person.owner")}</em>`}
      <span><i>${t(`call.${person.role}`)}</i><i>${pick(person.department)}</i></span>
      ${person.away && large && html`<span class="away"><${Icon} name="no-network" />${t("person.away")}</span>`}
    </figcaption>
    ${call.owner && person.role !== "supervisor" && html`<${Verbs} desk=${desk} person=${person} name=${name} />`}
  </figure>`;
}

/** Why there is no picture. @param {{person: Person}} props */
function Faceless({ person: { away, camera } }) {
  const [icon, word] = away ? ["no-network", "person.away"] : camera ? ["user", "person.coming"] : ["video-off", "person.no_camera"];
  return html`<p class="blank"><${Icon} name=${icon} />${t(word)}</p>`;
}

/** @param {{desk: Desk, person: Person, name: string}} props */
function Verbs({ desk, person, name }) {
  const busy = sending.value === "call";
  return html`<div class="verbs" role="group" aria-label=${name}>
    ${mayOwn(person) &&
      html`<${Act} act="hand-over" icon="right" word=${t("person.hand_over")} disabled=${busy}
        onClick=${() => desk.parties.handOver(person.participant)} />`}
    <${Act} act="send-away" icon="close" word=${t("person.send_away")} disabled=${busy} onClick=${() => desk.parties.sendAway(person.participant)} />
  </div>`;
}

/** A supervisor in the background: said, and no more than that. @param {{call: Call}} props */
export function Supervised({ call }) {
  const watching = call.people.find(({ supervision }) => supervision !== null);
  if (watching === undefined) return null;
  const whispers = watching.supervision === "whisper" && call.owner;
  const word = watching.supervision === "barge" ? "barge" : whispers ? "whisper" : "listen";
  return html`<p class="banner quiet" role="status" data-testid="supervised">
    <${Icon} name=${word === "barge" ? "users" : word === "whisper" ? "message" : "eye"} />${t(`supervised.${word}`, { name: pick(watching.name) })}
  </p>`;
}
