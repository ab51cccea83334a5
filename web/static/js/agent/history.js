/** What happened in the call, read off one state and the next, for its history on this page. */

import { log, heldSince, seen } from "./memory.js";
import { owner, present } from "./people.js";
import { now } from "./state.js";

/** @typedef {import("../kit/messages.js").AgentCall} AgentCall */

/** How I came in, and whether the resident is on hold, which may have changed unseen. @param {AgentCall} call */
export function noteStanding(call) {
  if (!seen("answered") && !seen("came")) {
    if (!call.owner) log("came", now.value);
    else if (call.answered_at !== null) log("answered", call.answered_at);
  }
  if (call.on_hold !== (heldSince() !== null)) log(call.on_hold ? "held" : "resumed", now.value);
}

/** @param {AgentCall} before @param {AgentCall} next */
export function noteChanges(before, next) {
  if (before.sharing !== next.sharing) log(next.sharing ? "share_on" : "share_off", now.value);
  if (next.phase === "ended" || next.left) return;
  if (before.resident_away !== next.resident_away) log(next.resident_away ? "away" : "back", now.value);
}

/** @param {AgentCall} before @param {AgentCall} next */
export function noteParties(before, next) {
  if (next.phase === "ended" || next.left) return;
  if (next.ask !== null && before.ask === null) log("asked", next.ask.made_at, { who: next.ask.name });
  if (next.failed_ask !== null && before.failed_ask?.number !== next.failed_ask.number)
    log("ask_failed", now.value, { who: next.failed_ask.name });
  for (const { participant, name } of present(next))
    if (!present(before).some((one) => one.participant === participant)) log("joined", now.value, { who: name });
  for (const { participant, name } of present(before))
    if (!present(next).some((one) => one.participant === participant)) log("left", now.value, { who: name });
  noteOwner(before, next);
}

/** @param {AgentCall} before @param {AgentCall} next */
function noteOwner(before, next) {
  if (next.owner && !before.owner && seen("came")) log("owner_me", now.value);
  const other = owner(next);
  if (other !== null && owner(before)?.participant !== other.participant && before.phase !== "offered")
    log("owner", now.value, { who: other.name });
}
