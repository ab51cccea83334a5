// A media node for page tests, inside the page: it offers with the fixed m-lines of media/protocol.py, takes the
// answer, sends a drawn picture, a drawn form and a tone, and counts what it gets. Injected by Playwright, never served.
(() => {
  const MIDS = ["mic", "camera", "share", "audio2", "video2", "audio3", "video3"];
  const KINDS = ["audio", "video", "video", "audio", "video", "audio", "video"];

  /** A moving picture: `draw(context, frame)` 15 times a second. */
  function drawn(width, height, draw) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    let frame = 0;
    draw(context, frame);
    setInterval(() => draw(context, (frame += 1)), 66);
    return canvas.captureStream(15).getVideoTracks()[0];
  }

  const person = wearing("#24404d", "#c9d6d8");

  /** Somebody in a coat before a wall. */
  function wearing(coat, wall) {
    return (context, frame) => drawPerson(context, frame, coat, wall);
  }

  function drawPerson(context, frame, coat, wall) {
    const { width, height } = context.canvas;
    context.fillStyle = wall;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#9fb3b6";
    context.fillRect(0, height * 0.12, width, 6);
    context.fillStyle = coat;
    context.beginPath();
    context.ellipse(width / 2, height * 1.02, width * 0.26, height * 0.42, 0, 0, 7);
    context.fill();
    context.fillStyle = "#e8c4a4";
    context.beginPath();
    context.ellipse(width / 2 + Math.sin(frame / 9) * 4, height * 0.4, height * 0.16, height * 0.2, 0, 0, 7);
    context.fill();
    context.fillStyle = "#2a2320";
    context.beginPath();
    context.ellipse(width / 2 + Math.sin(frame / 9) * 4, height * 0.28, height * 0.17, height * 0.11, 0, 0, 7);
    context.fill();
  }

  function form(context, frame) {
    const { width, height } = context.canvas;
    context.fillStyle = "#ffffff";
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#1b2a33";
    context.font = "36px 'Noto Sans CJK SC', sans-serif";
    context.fillText("道路运输车辆年度审验申请表", 400, 90);
    context.font = "24px 'Noto Sans CJK SC', sans-serif";
    ["申请人", "身份证号", "车辆号牌", "道路运输证号", "联系电话", "申请日期"].forEach((word, row) => {
      context.strokeRect(160, 140 + row * 80, 960, 64);
      context.fillText(word, 184, 182 + row * 80);
    });
    if (frame % 16 < 8) context.fillRect(420, 158, 2, 30);
  }

  function tone() {
    const audio = new AudioContext();
    const oscillator = new OscillatorNode(audio, { frequency: 440 });
    const out = audio.createMediaStreamDestination();
    oscillator.connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  }

  class PretendNode {
    /** `others`: how many more people are on the receive-only pairs. */
    async offer({ camera = true, share = true, others = 0 } = {}) {
      const coats = [wearing("#6b2f3a", "#d8d2c4"), wearing("#2f5a3a", "#cfd3dd")];
      this.pc = new RTCPeerConnection({ iceServers: [] });
      KINDS.forEach((kind, index) => {
        const track = index === 0 ? tone() : index === 1 && camera ? drawn(640, 480, person)
          : index === 2 && share ? drawn(1280, 720, form)
          : index < 3 + 2 * others && index > 2 ? (kind === "audio" ? tone() : drawn(640, 480, coats[(index - 4) / 2]))
          : kind;
        this.pc.addTransceiver(track, { direction: index < 3 ? "sendrecv" : "sendonly" });
      });
      return this.described();
    }

    /** New ICE credentials for the same connection. */
    async restart() {
      this.pc.restartIce();
      return this.described();
    }

    async described() {
      await this.pc.setLocalDescription();
      while (this.pc.iceGatheringState !== "complete") {
        await new Promise((resolve) => this.pc.addEventListener("icegatheringstatechange", resolve, { once: true }));
      }
      return this.pc.localDescription.sdp
        .replace(/a=mid:(\d)/g, (_, n) => `a=mid:${MIDS[n]}`)
        .replace(/a=group:BUNDLE.*/, `a=group:BUNDLE ${MIDS.join(" ")}`)
        .replace(/a=extmap:\d+ urn:ietf:params:rtp-hdrext:sdes:mid\r\n/g, "");
    }

    async answer(sdp) {
      const mine = MIDS.reduce((text, mid, n) => text.replace(`a=mid:${mid}\r\n`, `a=mid:${n}\r\n`), sdp)
        .replace(/a=group:BUNDLE.*/, `a=group:BUNDLE ${MIDS.map((_, n) => n).join(" ")}`);
      await this.pc.setRemoteDescription({ type: "answer", sdp: mine });
    }

    /** Frames and packets that arrived, by m-line. */
    async got() {
      const counts = {};
      for (const entry of (await this.pc.getStats()).values()) {
        if (entry.type === "inbound-rtp") counts[MIDS[entry.mid]] = entry.framesDecoded ?? entry.packetsReceived;
      }
      return counts;
    }

    close() {
      this.pc.close();
    }
  }

  window.pretendNode = new PretendNode();
})();
