// Made by deploy/message_types.py from signaling/messages.py and records/model.py. Do not edit.

/** First message of a station: the challenge of ``Challenge``, signed with the device key (Ed25519, base64url without padding) over ``bangban-station-1\n<origin>\n<station>\n<nonce>`` in UTF-8. */
export interface StationHello {
  type: "station_hello";
  protocol: number;
  station: string;
  signature: string;
  resume?: string | null;
  seen?: number;
}

/** */
export interface Ping {
  type: "ping";
}

/** */
export interface Pong {
  type: "pong";
}

/** The resident wants to see somebody about an item, and agreed to be recorded. */
export interface Call {
  type: "call";
  item: string;
  consent: boolean;
  ref: number;
}

/** */
export interface Cancel {
  type: "cancel";
  call: string;
  ref: number;
}

/** */
export interface HangUp {
  type: "hang_up";
  call: string;
  ref: number;
}

/** The browser's SDP answer to ``offer``, with the ``restart`` of that. */
export interface Answer {
  type: "answer";
  call: string;
  generation: number;
  sdp: string;
  restart?: number;
  ref: number;
}

/** My connection is gone (reloaded page, failed ICE): make me a new one. Answered by a new ``offer``. */
export interface Rejoin {
  type: "rejoin";
  call: string;
  generation: number;
  ref: number;
}

/** My network changed, or nothing comes through any more: keep my connection, and find it a new way. Answered by an ``offer`` of the same generation with the next ``restart``, or by one of the next generation when the connection is over. More than one in 2 s counts as one. */
export interface RestartIce {
  type: "restart_ice";
  call: string;
  generation: number;
  ref: number;
}

/** What I send: whether my microphone and my camera are on. Until it is said, both count as on. */
export interface Devices {
  type: "devices";
  call: string;
  mic: boolean;
  camera: boolean;
  ref: number;
}

/** 好差评: by the resident alone, once per call. Reasons only with one or two stars. */
export interface Rate {
  type: "rate";
  call: string;
  stars: number;
  reasons?: ReadonlyArray<RatingReason>;
  ref: number;
}

export type RatingReason = "waited_long" | "not_solved" | "not_clear" | "attitude" | "picture_or_sound";

/** The resident is done with the ended call (rated or skipped): forget it at the station. */
export interface Dismiss {
  type: "dismiss";
  call: string;
  ref: number;
}

/** First message of an agent or manager; the cookie says who it is. */
export interface Hello {
  type: "hello";
  protocol: number;
  resume?: string | null;
  seen?: number;
}

/** */
export interface SetPresence {
  type: "set_presence";
  presence: Presence;
  reason?: PauseReason | null;
  ref: number;
}

export type Presence = "signed_out" | "available" | "paused";

export type PauseReason = "break" | "meal" | "meeting" | "training" | "counter" | "missed_calls" | "connection_lost";

/** */
export interface Accept {
  type: "accept";
  call: string;
  reservation: string;
  ref: number;
}

/** */
export interface Decline {
  type: "decline";
  call: string;
  reservation: string;
  ref: number;
}

/** The agent's screen share starts (``on``) or stops; the picture comes on the ``share`` m-line. */
export interface Share {
  type: "share";
  call: string;
  on: boolean;
  ref: number;
}

/** */
export interface AddNote {
  type: "add_note";
  call: string;
  text: string;
  ref: number;
}

/** What came of the call. May be sent again while wrap-up lasts; the last one stands. */
export interface WrapUp {
  type: "wrap_up";
  call: string;
  outcome: Outcome;
  note?: string;
  ref: number;
}

export type Outcome = "resolved" | "guided" | "materials_missing" | "referred" | "not_possible" | "cut_off" | "other";

/** Wrap-up is done. Refused while the call has no outcome. */
export interface Ready {
  type: "ready";
  call: string;
  ref: number;
}

/** First message to a station: 32 random bytes, base64url, good for this socket only. */
export interface Challenge {
  type: "challenge";
  nonce: string;
  seq?: number;
}

/** */
export interface Welcome {
  type: "welcome";
  session: string;
  resume: string;
  resumed: boolean;
  now: number;
  heartbeat_ms: number;
  seq?: number;
}

/** */
export interface ServerPing {
  type: "ping";
  seq?: number;
}

/** */
export interface ServerPong {
  type: "pong";
  seq?: number;
}

/** */
export interface Ack {
  type: "ack";
  ref: number;
  seq?: number;
}

/** ``text`` says what happened, what stays safe and what to do, in both languages. */
export interface Error {
  type: "error";
  code: ErrorCode;
  text: Text;
  ref: number | null;
  seq?: number;
}

export type ErrorCode = "malformed" | "too_large" | "too_fast" | "out_of_order" | "unknown_call" | "unknown_item" | "not_offered" | "not_empowered" | "busy" | "bad_answer" | "no_media" | "consent_missing" | "already_rated" | "internal";

/** One text in the hall's two languages. */
export interface Text {
  zh: string;
  en: string;
}

/** Another tab or device of yours took over; the socket closes with 4003. */
export interface TakenOver {
  type: "taken_over";
  seq?: number;
}

/** The node's SDP offer for this participant and generation: make a new connection and send ``answer``. With a ``restart`` above 0 it is for the connection of this generation, whose ICE begins anew. */
export interface Offer {
  type: "offer";
  call: string;
  generation: number;
  restart: number;
  sdp: string;
  ice_servers: ReadonlyArray<IceServer>;
  seq?: number;
}

/** RTCIceServer, as the browser takes it. */
export interface IceServer {
  urls: ReadonlyArray<string>;
  username?: string | null;
  credential?: string | null;
}

/** The whole of what a station draws from. ``call`` stays after its end until it is dismissed. */
export interface StationState {
  type: "station_state";
  station: string;
  name: Text;
  call: StationCall | null;
  seq?: number;
}

/** ``ahead`` and ``estimate_s`` (low, high) only while it waits; ``estimate_s`` is null when there is no basis for one. ``on_duty`` counts agents with the skill who are available, free or busy: a pause is not duty (agents/waiting.py). ``ringing``: one of them is rung. ``held_up``: no media node can carry it just now; it keeps its place, and nobody is rung. */
export interface StationCall {
  id: string;
  item: string;
  phase: State;
  ahead: number;
  estimate_s: readonly [number, number] | null;
  on_duty: number;
  ringing: boolean;
  held_up: boolean;
  generation: number;
  connected: boolean;
  agent: AgentCard | null;
  agent_away: boolean;
  agent_mic: boolean;
  agent_camera: boolean;
  slots: ReadonlyArray<SlotView>;
  sharing: boolean;
  requested_at: number;
  answered_at: number | null;
  ended_at: number | null;
  end_reason: EndReason | null;
  rated: boolean;
}

export type State = "queued" | "offered" | "connecting" | "active" | "ended";

/** What a resident is told of an agent. */
export interface AgentCard {
  name: Text;
  department: Text;
  badge: string;
}

/** What the track on this m-line shows. */
export interface SlotView {
  mid: Mid;
  participant: string;
  role: ParticipantRole;
  source: Source;
}

export type Mid = "mic" | "camera" | "share" | "audio2" | "video2" | "audio3" | "video3";

export type ParticipantRole = "resident" | "agent" | "expert" | "interpreter" | "supervisor";

export type Source = "mic" | "camera" | "share";

export type EndReason = "completed_by_resident" | "completed_by_agent" | "cancelled" | "resident_lost" | "agent_lost" | "connect_failed" | "media_lost";

/** What is said of the station's own network during a call. */
export interface OwnQuality {
  type: "own_quality";
  call: string;
  judgement: Judgement | null;
  seq?: number;
}

export type Judgement = "good" | "weak" | "bad";

/** The whole of what an agent's console draws from. During wrap-up ``call`` is the ended one. */
export interface AgentState {
  type: "agent_state";
  agent: string;
  name: Text;
  badge: string;
  department: Text;
  presence: Presence;
  pause_reason: PauseReason | null;
  activity: Activity;
  since: number;
  wrap_up_until: number | null;
  ring: Ring | null;
  call: AgentCall | null;
  waiting: number;
  longest_wait_since: number | null;
  colleagues_free: number;
  seq?: number;
}

export type Activity = "idle" | "reserved" | "in_call" | "wrap_up";

/** A call offered to this agent. ``waited_ms`` at the moment of sending. */
export interface Ring {
  call: string;
  reservation: string;
  item: string;
  station: Text;
  site: Text;
  requested_at: number;
  until: number;
}

/** ``phase`` offered means: the connection is being made while it rings. ``share_codecs``: in which codecs the others can be shown what this agent shares, best first; it may change while something is shared. */
export interface AgentCall {
  id: string;
  item: string;
  phase: State;
  station: Text;
  site: Text;
  generation: number;
  connected: boolean;
  resident_away: boolean;
  resident_mic: boolean;
  resident_camera: boolean;
  slots: ReadonlyArray<SlotView>;
  sharing: boolean;
  share_codecs: ReadonlyArray<VideoCodec>;
  requested_at: number;
  answered_at: number | null;
  ended_at: number | null;
  end_reason: EndReason | null;
  outcome: Outcome | null;
  outcome_note: string;
}

export type VideoCodec = "VP8" | "H264" | "VP9" | "AV1";

/** How good the connections of the agent's call are; no ``networks`` when nothing is known any more. */
export interface CallQuality {
  type: "call_quality";
  call: string;
  networks: ReadonlyArray<Network>;
  seq?: number;
}

/** One participant's connection to the media node: what is said of it, and figures of the last seconds. */
export interface Network {
  role: ParticipantRole;
  judgement: Judgement;
  rtt_ms: number | null;
  loss: number;
  unrepaired: number;
  up_kbps: number;
  down_kbps: number;
}

/** */
export interface ManagerState {
  type: "manager_state";
  now: number;
  waiting: ReadonlyArray<WaitingRow>;
  live: ReadonlyArray<LiveRow>;
  agents: ReadonlyArray<AgentRow>;
  stations: ReadonlyArray<StationRow>;
  nodes: ReadonlyArray<NodeRow>;
  today: DayFigures;
  seq?: number;
}

/** */
export interface WaitingRow {
  call: string;
  item: Text;
  station: Text;
  requested_at: number;
  ringing: Text | null;
}

/** */
export interface LiveRow {
  call: string;
  item: Text;
  station: Text;
  agent: Text;
  phase: State;
  answered_at: number | null;
  sharing: boolean;
  networks: ReadonlyArray<Network>;
}

/** */
export interface AgentRow {
  agent: string;
  name: Text;
  presence: Presence;
  pause_reason: PauseReason | null;
  activity: Activity;
  since: number;
}

/** */
export interface StationRow {
  station: string;
  name: Text;
  online: boolean;
}

/** */
export interface NodeRow {
  node: string;
  port: number;
  rooms: number;
  capacity: number;
  cpu: number;
  lag_ms: number;
  draining: boolean;
  full: string | null;
}

/** Since midnight of the hall's time zone. ``in_goal`` counts calls answered within ``goal_s``. */
export interface DayFigures {
  calls: number;
  answered: number;
  abandoned: number;
  in_goal: number;
  goal_s: number;
  mean_wait_s: number | null;
  mean_talk_s: number | null;
  mean_stars: number | null;
}

/** */
export interface Zone {
  id: string;
  name: Text;
  summary: Text;
  icon: string;
}

/** */
export interface Department {
  id: string;
  name: Text;
}

/** One thing a resident can get done (事项), with its guide. */
export interface Item {
  id: string;
  zone: string;
  department: string;
  name: Text;
  summary: Text;
  duration: Text;
  fee: Text;
  steps: ReadonlyArray<Text>;
  materials: ReadonlyArray<Material>;
  skill: string;
  popular: number;
  video: string | null;
  keywords: ReadonlyArray<string>;
  pinyin: string;
  initials: string;
}

/** */
export interface Material {
  name: Text;
  form: MaterialForm;
  note: Text | null;
}

export type MaterialForm = "original" | "copy" | "original_and_copy" | "filled_form";

export type StationIn = StationHello | Ping | Pong | Call | Cancel | HangUp | Answer | Rejoin | RestartIce | Devices | Rate | Dismiss;

export type AgentIn = Hello | Ping | Pong | SetPresence | Accept | Decline | Answer | Rejoin | RestartIce | Devices | Share | AddNote | HangUp | WrapUp | Ready;

export type ManagerIn = Hello | Ping | Pong;

export type StationOut = Challenge | Welcome | ServerPing | ServerPong | Ack | Error | TakenOver | Offer | StationState | OwnQuality;

export type AgentOut = Welcome | ServerPing | ServerPong | Ack | Error | TakenOver | Offer | AgentState | CallQuality;

export type ManagerOut = Welcome | ServerPing | ServerPong | Ack | Error | ManagerState;

export interface Requests {
  call: Omit<Call, "type" | "ref">;
  cancel: Omit<Cancel, "type" | "ref">;
  hang_up: Omit<HangUp, "type" | "ref">;
  answer: Omit<Answer, "type" | "ref">;
  rejoin: Omit<Rejoin, "type" | "ref">;
  restart_ice: Omit<RestartIce, "type" | "ref">;
  devices: Omit<Devices, "type" | "ref">;
  rate: Omit<Rate, "type" | "ref">;
  dismiss: Omit<Dismiss, "type" | "ref">;
  set_presence: Omit<SetPresence, "type" | "ref">;
  accept: Omit<Accept, "type" | "ref">;
  decline: Omit<Decline, "type" | "ref">;
  share: Omit<Share, "type" | "ref">;
  add_note: Omit<AddNote, "type" | "ref">;
  wrap_up: Omit<WrapUp, "type" | "ref">;
  ready: Omit<Ready, "type" | "ref">;
}

export type Protocol = 1;
