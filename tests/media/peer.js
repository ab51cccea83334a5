// One browser of a media test: answers the node's offer, sends a camera or a drawn pattern, tells what it gets.
"use strict";

const peer = { pc: null, media: null, remote: {}, frames: {} };

// A picture and a tone that change in the same instant: white and beeping for 100 ms of every second.
peer.flashing = () => {
  const canvas = document.createElement("canvas");
  canvas.width = 640;
  canvas.height = 480;
  const pen = canvas.getContext("2d");
  const audio = new AudioContext({ sampleRate: 48000 });
  const tone = new OscillatorNode(audio, { frequency: 1000 });
  const gain = new GainNode(audio, { gain: 0 });
  const out = new MediaStreamAudioDestinationNode(audio);
  tone.connect(gain).connect(out);
  tone.start();
  let n = 0;
  peer.flashes = [];
  setInterval(() => {
    const on = performance.now() % 1000 < 100;
    if (on && gain.gain.value === 0) peer.flashes.push(performance.now());
    gain.gain.value = on ? 0.5 : 0;
    pen.fillStyle = on ? "white" : "black";
    pen.fillRect(0, 0, 640, 480);
    pen.fillStyle = "#808080";
    pen.fillRect((n++ * 8) % 640, 440, 40, 40);
  }, 16);
  return new MediaStream([...canvas.captureStream(30).getTracks(), ...out.stream.getTracks()]);
};

peer.drawn = (color, width, height) => {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext("2d");
  let n = 0;
  setInterval(() => {
    pen.fillStyle = color;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "black";
    pen.fillRect((n++ * 8) % canvas.width, 0, 40, 40);
  }, 33);
  peer.canvas = canvas;
  return canvas.captureStream(30);
};

// A voice that never rests: with pauses nobody would hear what is lost.
peer.voice = () => {
  const audio = new AudioContext({ sampleRate: 48000 });
  const out = new MediaStreamAudioDestinationNode(audio);
  const tone = new OscillatorNode(audio, { type: "sawtooth", frequency: 180 });
  const gain = new GainNode(audio, { gain: 0.3 });
  const melody = new OscillatorNode(audio, { frequency: 3 });
  const depth = new GainNode(audio, { gain: 60 });
  melody.connect(depth).connect(tone.frequency);
  tone.connect(gain).connect(out);
  tone.start();
  melody.start();
  return out.stream.getAudioTracks()[0];
};

// A picture that takes every bit it is given: noise in its middle, other noise in the next one.
peer.noise = (width, height) => {
  const canvas = document.createElement("canvas");
  const tile = document.createElement("canvas");
  [canvas.width, canvas.height, tile.width, tile.height] = [width, height, width, height];
  const [pen, brush] = [canvas.getContext("2d"), tile.getContext("2d")];
  const grains = brush.createImageData(width, height);
  for (let i = 0; i < grains.data.length; i++) grains.data[i] = i % 4 === 3 ? 255 : 64 + Math.random() * 128;
  brush.putImageData(grains, 0, 0);
  const [wide, high] = [width / 3, height / 3];
  setInterval(() => {
    const [x, y] = [Math.random() * (width - wide), Math.random() * (height - high)];
    pen.drawImage(tile, x, y, wide, high, wide, high, wide, high);
  }, 33);
  return canvas.captureStream(30).getVideoTracks()[0];
};

peer.capture = async (kind) => {
  if (kind === "flash") peer.media = peer.flashing();
  else if (kind === "none") peer.media = new MediaStream();
  else {
    peer.media = await navigator.mediaDevices.getUserMedia({
      audio: true,
      video: { width: 640, height: 480, frameRate: 30 },
    });
  }
};

// Returns the SDP answer.
peer.answer = async (offer, kind = "camera") => {
  if (peer.pc) peer.pc.close();
  if (!peer.media) await peer.capture(kind);
  const pc = (peer.pc = new RTCPeerConnection({ iceServers: [] }));
  pc.ontrack = (event) => peer.show(event.transceiver.mid, event.track);
  (await import("/kit/patience.js")).bePatient(pc); // as our own pages are
  await pc.setRemoteDescription({ type: "offer", sdp: offer });
  const tracks = { mic: peer.media.getAudioTracks()[0], camera: peer.media.getVideoTracks()[0] };
  for (const transceiver of pc.getTransceivers()) {
    if (!["mic", "camera", "share"].includes(transceiver.mid)) continue;
    transceiver.direction = "sendrecv";
    if (tracks[transceiver.mid]) await transceiver.sender.replaceTrack(tracks[transceiver.mid]);
  }
  await pc.setLocalDescription(await pc.createAnswer());
  await peer.sendAsOurPagesDo(pc);
  return pc.localDescription.sdp;
};

peer.sendAsOurPagesDo = async (pc) => {
  const { Sending } = await import("/kit/sending.js");
  peer.sending?.stop();
  peer.sending = new Sending(pc, (source) => peer.transceiver(source).sender, []);
  await peer.sending.begin();
};

peer.show = (mid, track) => {
  peer.remote[mid] = track;
  if (track.kind !== "video") {
    const sound = new Audio();
    sound.srcObject = new MediaStream([track]);
    sound.play();
    return;
  }
  const video = document.createElement("video");
  video.muted = true;
  video.autoplay = true;
  video.id = `video-${mid}`;
  video.srcObject = new MediaStream([track]);
  document.body.append(video);
  peer.frames[mid] = [];
  const note = (now) => {
    peer.frames[mid].push(performance.timeOrigin + now);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
};

peer.transceiver = (mid) => peer.pc.getTransceivers().find((t) => t.mid === mid);

peer.share = async (stream) => {
  await peer.transceiver("share").sender.replaceTrack(stream.getVideoTracks()[0]);
};

// The mean colour [r, g, b] of what is shown on a MID, without the moving block in the first rows.
peer.color = (mid) => {
  const video = document.getElementById(`video-${mid}`);
  if (!video || !video.videoWidth) return null;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const pen = canvas.getContext("2d");
  pen.drawImage(video, 0, video.videoHeight / 2, video.videoWidth, video.videoHeight / 2, 0, 0, 8, 8);
  const data = pen.getImageData(0, 0, 8, 8).data;
  const sum = [0, 0, 0];
  for (let i = 0; i < data.length; i += 4) for (let c = 0; c < 3; c++) sum[c] += data[i + c] / 64;
  return sum.map(Math.round);
};

// What is received on each MID, and what is sent.
peer.stats = async () => {
  const found = { inbound: {}, outbound: {}, available: 0, rtt: null };
  for (const s of (await peer.pc.getStats()).values()) {
    if (s.type === "inbound-rtp") {
      found.inbound[s.mid] = {
        packets: s.packetsReceived, lost: s.packetsLost, decoded: s.framesDecoded || 0, keys: s.keyFramesDecoded || 0,
        energy: s.totalAudioEnergy || 0, width: s.frameWidth || 0, height: s.frameHeight || 0,
        nacks: s.nackCount || 0, plis: s.pliCount || 0,
        freezes: s.freezeCount || 0, frozen: s.totalFreezesDuration || 0,
        concealed: s.concealedSamples || 0, silent: s.silentConcealedSamples || 0,
        samples: s.totalSamplesReceived || 0, delay: s.jitterBufferDelay || 0, emitted: s.jitterBufferEmittedCount || 0,
        playout: s.estimatedPlayoutTimestamp || 0, repaired: s.retransmittedPacketsReceived || 0,
      };
    } else if (s.type === "outbound-rtp") {
      found.outbound[s.mid] = {
        bytes: s.bytesSent, width: s.frameWidth || 0, target: s.targetBitrate || 0, keys: s.keyFramesEncoded || 0,
        plis: s.pliCount || 0, retransmitted: s.retransmittedPacketsSent || 0, codec: s.encoderImplementation || "",
        nacks: s.nackCount || 0, encoded: s.framesEncoded || 0, sent: s.framesSent || 0, packets: s.packetsSent || 0,
        resent: s.retransmittedBytesSent || 0, headers: s.headerBytesSent || 0,
      };
    } else if (s.type === "candidate-pair" && s.nominated) {
      found.available = s.availableOutgoingBitrate || 0;
      found.rtt = s.currentRoundTripTime;
    }
  }
  return found;
};

window.peer = peer;
