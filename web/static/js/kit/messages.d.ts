// Made by deploy/message_types.py from signaling/messages/ and records/model.py. Do not edit.

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
  elder?: boolean;
  sign_language?: boolean;
  appointment?: string | null;
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

/** When could somebody call back about this item? Answered by ``slots``. */
export interface AskSlots {
  type: "ask_slots";
  item: string;
  ref: number;
}

/** Take a slot. Answered by ``booked``. With a ``phone`` the hall calls that; else the resident comes. */
export interface Book {
  type: "book";
  item: string;
  at: number;
  phone?: string | null;
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

/** Hand the call on, or have somebody beside me: exactly one of queue, agent, department (its expert) and skill (an interpreter). */
export interface AskFor {
  type: "ask_for";
  call: string;
  kind: Joining;
  queue?: string | null;
  agent?: string | null;
  department?: string | null;
  skill?: string | null;
  ref: number;
}

export type Joining = "transfer" | "consult" | "join";

/** */
export interface DropAsk {
  type: "drop_ask";
  call: string;
  ref: number;
}

/** The resident on hold, or back. */
export interface Hold {
  type: "hold";
  call: string;
  on: boolean;
  ref: number;
}

/** The call becomes another agent's, who is in it already; I leave. */
export interface HandOver {
  type: "hand_over";
  call: string;
  participant: string;
  ref: number;
}

/** End another one's part in my call. */
export interface SendAway {
  type: "send_away";
  call: string;
  participant: string;
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

/** */
export interface ExtendWrapUp {
  type: "extend_wrap_up";
  call: string;
  ref: number;
}

/** Wrap-up is done. Refused while the call has no outcome. */
export interface Ready {
  type: "ready";
  call: string;
  ref: number;
}

/** Listen to a call, whisper to its owner, or join it; said again, another of the three. */
export interface Supervise {
  type: "supervise";
  call: string;
  mode: Supervision;
  ref: number;
}

export type Supervision = "listen" | "whisper" | "barge";

/** */
export interface StopSupervising {
  type: "stop_supervising";
  call: string;
  ref: number;
}

/** The call becomes mine; its agent leaves. */
export interface TakeOver {
  type: "take_over";
  call: string;
  ref: number;
}

/** An agent who left without signing out: paused or signed out by the manager. */
export interface SetPresenceOf {
  type: "set_presence_of";
  agent: string;
  presence: Presence;
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

export type ErrorCode = "malformed" | "too_large" | "too_fast" | "out_of_order" | "unknown_call" | "unknown_item" | "not_offered" | "not_empowered" | "busy" | "bad_answer" | "no_media" | "consent_missing" | "already_rated" | "closed" | "nobody" | "queue_full" | "slot_taken" | "unknown_code" | "not_owner" | "room_full" | "already_asked" | "unknown_target" | "no_more_time" | "internal";

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

/** ``ahead`` and ``estimate_s`` (low, high) only while it waits; ``estimate_s`` is null when there is no basis for one. Neither grows without a ``wait_reason``. ``widened``: how many rings beyond the first are asked. ``people``: everybody else who may be known of, the owner first; ``moved``: why it waits once more. ``on_duty`` counts agents with the skill who are available, free or busy: a pause is not duty (agents/waiting.py). ``ringing``: one of them is rung. ``held_up``: no media node can carry it just now; it keeps its place, and nobody is rung. */
export interface StationCall {
  id: string;
  item: string;
  phase: State;
  ahead: number;
  estimate_s: readonly [number, number] | null;
  wait_reason: WaitReason | null;
  lane: Lane;
  widened: number;
  on_duty: number;
  ringing: boolean;
  held_up: boolean;
  generation: number;
  connected: boolean;
  agent: AgentCard | null;
  people: ReadonlyArray<PersonView>;
  on_hold: boolean;
  moved: Moved | null;
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

export type WaitReason = "priority" | "fewer_agents" | "longer_calls";

export type Lane = "escalated" | "returning" | "appointment" | "elder" | "normal";

/** What a resident is told of an agent. */
export interface AgentCard {
  name: Text;
  department: Text;
  badge: string;
}

/** Somebody else in the call, as whoever is in it may know. ``joining``: how it came in; None: who answered the call itself. ``ringing``: asked to join and not there yet. */
export interface PersonView {
  participant: string;
  role: ParticipantRole;
  name: Text;
  department: Text;
  badge: string;
  owner: boolean;
  joining: Joining | null;
  supervision: Supervision | null;
  ringing: boolean;
  away: boolean;
  mic: boolean;
  camera: boolean;
}

export type ParticipantRole = "resident" | "agent" | "expert" | "interpreter" | "supervisor";

export type Moved = "transfer" | "agent_lost";

/** What the track on this m-line shows. */
export interface SlotView {
  mid: Mid;
  participant: string;
  role: ParticipantRole;
  source: Source;
}

export type Mid = "mic" | "camera" | "share" | "audio2" | "video2" | "audio3" | "video3";

export type Source = "mic" | "camera" | "share";

export type EndReason = "completed_by_resident" | "completed_by_agent" | "cancelled" | "resident_lost" | "agent_lost" | "connect_failed" | "media_lost" | "unanswered" | "transfer_abandoned";

/** Call-back slots for an item on this and the next days, and how its queue stands now. */
export interface Slots {
  type: "slots";
  item: string;
  admission: Admitting;
  opens_at: number | null;
  minutes: number;
  slots: ReadonlyArray<Slot>;
  seq?: number;
}

export type Admitting = "open" | "closed" | "nobody" | "full";

/** */
export interface Slot {
  at: number;
  free: number;
}

/** */
export interface Booked {
  type: "booked";
  item: string;
  at: number;
  minutes: number;
  code: string;
  phone: string | null;
  seq?: number;
}

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
  extensions_left: number;
  ring: Ring | null;
  call: AgentCall | null;
  waiting: number;
  longest_wait_since: number | null;
  colleagues_free: number;
  seq?: number;
}

export type Activity = "idle" | "reserved" | "in_call" | "wrap_up";

/** A call offered to this agent: as what (``role``), and when it is already answered how it comes (``joining``) and from whom. ``answered``: said yes; another one who is needed too still rings. */
export interface Ring {
  call: string;
  reservation: string;
  item: string;
  station: Text;
  site: Text;
  requested_at: number;
  until: number;
  role: ParticipantRole;
  lane: Lane;
  joining: Joining | null;
  asked_by: AgentCard | null;
  answered: boolean;
}

/** ``phase`` offered means: the connection is being made while it rings. ``share_codecs``: in which codecs the others can be shown what this agent shares, best first; it may change while something is shared. */
export interface AgentCall {
  id: string;
  item: string;
  phase: State;
  role: ParticipantRole;
  owner: boolean;
  people: ReadonlyArray<PersonView>;
  on_hold: boolean;
  ask: AskView | null;
  failed_ask: FailedAskView | null;
  left: boolean;
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

/** Who is asked to join; ``ringing``: somebody is rung just now. */
export interface AskView {
  kind: Joining;
  name: Text;
  made_at: number;
  until: number;
  ringing: boolean;
}

/** */
export interface FailedAskView {
  number: number;
  kind: Joining;
  name: Text;
  why: AskFailure;
}

export type AskFailure = "nobody_came" | "declined" | "dropped";

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

/** Whom an agent in a call may ask for. Sent while in a call, whenever it changes. */
export interface Colleagues {
  type: "colleagues";
  queues: ReadonlyArray<QueueLine>;
  people: ReadonlyArray<Colleague>;
  departments: ReadonlyArray<DepartmentLine>;
  skills: ReadonlyArray<SkillLine>;
  seq?: number;
}

/** */
export interface QueueLine {
  queue: string;
  name: Text;
  waiting: number;
  free: number;
}

/** */
export interface Colleague {
  agent: string;
  name: Text;
  department: Text;
  role: ParticipantRole;
  presence: Presence;
  activity: Activity;
}

/** A department whose experts can be asked for; those on duty, and of these free. */
export interface DepartmentLine {
  department: string;
  name: Text;
  on_duty: number;
  free: number;
}

/** An interpreter's skill. */
export interface SkillLine {
  skill: string;
  name: Text;
  on_duty: number;
  free: number;
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
  queues: ReadonlyArray<QueueRow>;
  occupancy: number | null;
  supervising: ManagerCall | null;
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
  lane: Lane;
  queue: Text;
  moved: Moved | null;
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
  people: ReadonlyArray<PersonView>;
  on_hold: boolean;
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
  role: ParticipantRole;
  occupancy: number | null;
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

/** ``in_goal_pct``, ``abandoned_pct``: of today's calls, null before the first. */
export interface QueueRow {
  queue: string;
  name: Text;
  open: boolean;
  waiting: number;
  longest_since: number | null;
  on_duty: number;
  free: number;
  goal_s: number;
  goal_pct: number;
  in_goal_pct: number | null;
  abandoned_pct: number | null;
}

/** The call that this page supervises, or took over (``mode`` null); what AgentCall is to an agent. */
export interface ManagerCall {
  id: string;
  item: string;
  phase: State;
  mode: Supervision | null;
  owner: boolean;
  participant: string;
  generation: number;
  connected: boolean;
  people: ReadonlyArray<PersonView>;
  resident_away: boolean;
  on_hold: boolean;
  slots: ReadonlyArray<SlotView>;
  sharing: boolean;
  answered_at: number | null;
  ended_at: number | null;
  end_reason: EndReason | null;
  outcome: Outcome | null;
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
  level: number;
  also: Record<string, number>;
  queue: string | null;
  served_by: ReadonlyArray<Tier>;
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

export type Tier = "district" | "town" | "village";

export type StationIn = StationHello | Ping | Pong | Call | Cancel | HangUp | Answer | Rejoin | RestartIce | Devices | Rate | Dismiss | AskSlots | Book;

export type AgentIn = Hello | Ping | Pong | SetPresence | Accept | Decline | Answer | Rejoin | RestartIce | Devices | Share | AddNote | AskFor | DropAsk | Hold | HandOver | SendAway | HangUp | WrapUp | ExtendWrapUp | Ready;

export type ManagerIn = Hello | Ping | Pong | Supervise | StopSupervising | TakeOver | Answer | Rejoin | RestartIce | Devices | HangUp | WrapUp | SetPresenceOf;

export type StationOut = Challenge | Welcome | ServerPing | ServerPong | Ack | Error | TakenOver | Offer | StationState | Slots | Booked | OwnQuality;

export type AgentOut = Welcome | ServerPing | ServerPong | Ack | Error | TakenOver | Offer | AgentState | CallQuality | Colleagues;

export type ManagerOut = Welcome | ServerPing | ServerPong | Ack | Error | Offer | ManagerState;

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
  ask_slots: Omit<AskSlots, "type" | "ref">;
  book: Omit<Book, "type" | "ref">;
  set_presence: Omit<SetPresence, "type" | "ref">;
  accept: Omit<Accept, "type" | "ref">;
  decline: Omit<Decline, "type" | "ref">;
  share: Omit<Share, "type" | "ref">;
  add_note: Omit<AddNote, "type" | "ref">;
  ask_for: Omit<AskFor, "type" | "ref">;
  drop_ask: Omit<DropAsk, "type" | "ref">;
  hold: Omit<Hold, "type" | "ref">;
  hand_over: Omit<HandOver, "type" | "ref">;
  send_away: Omit<SendAway, "type" | "ref">;
  wrap_up: Omit<WrapUp, "type" | "ref">;
  extend_wrap_up: Omit<ExtendWrapUp, "type" | "ref">;
  ready: Omit<Ready, "type" | "ref">;
}

export type Protocol = 1;
