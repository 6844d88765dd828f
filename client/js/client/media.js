/** Pictures and sound by WebRTC, where the server offers it: a network that loses or delays them does less harm. */

const GATHERED_MS = 2000;

export class Media {
  #peer = new RTCPeerConnection();
  #video = document.createElement('video');
  /** Of the last look: seconds that pictures waited and were decoded for, and how many they were. */
  #before = { delay_s: 0, n: 0 };

  /** @param {(video: HTMLVideoElement) => void} draw called with every picture */
  constructor(draw) {
    this.#video.autoplay = this.#video.playsInline = true;
    const stream = this.#video.srcObject = new MediaStream();
    this.#peer.ontrack = ({ track }) => stream.addTrack(track);
    const next = () => {
      draw(this.#video);
      this.#video.requestVideoFrameCallback(next);
    };
    this.#video.requestVideoFrameCallback(next);
  }

  get video() {
    return this.#video;
  }

  /** @param {boolean} sound whether it is wanted @returns {Promise<string>} SDP with all addresses in it */
  async offer(sound) {
    const peer = this.#peer;
    for (const kind of sound ? ['video', 'audio'] : ['video']) peer.addTransceiver(kind, { direction: 'recvonly' });
    await peer.setLocalDescription();
    await new Promise((resolve) => {
      setTimeout(resolve, GATHERED_MS);
      peer.onicecandidate = ({ candidate }) => { if (!candidate) resolve(null); };
    });
    return /** @type {RTCSessionDescription} */ (peer.localDescription).sdp;
  }

  /** @param {string} sdp */
  async answer(sdp) {
    await this.#peer.setRemoteDescription({ type: 'answer', sdp });
  }

  /** How long pictures have taken since the last look from their first packet until they were decoded. */
  async took_ms() {
    let took_ms = 0;
    for (const said of (await this.#peer.getStats()).values()) {
      if (said.type !== 'inbound-rtp' || said.kind !== 'video') continue;
      const { delay_s, n } = this.#before;
      this.#before = { delay_s: said.totalProcessingDelay ?? 0, n: said.framesDecoded };
      if (this.#before.n > n) took_ms = 1000 * (this.#before.delay_s - delay_s) / (this.#before.n - n);
    }
    return took_ms;
  }

  close() {
    this.#peer.close();
    this.#video.srcObject = null;
  }
}
