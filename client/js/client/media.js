/** Pictures and sound by WebRTC, where the server offers it: what a network loses or delays does less harm. */

const GATHERED_MS = 2000;

export class Media {
  /** Plays both. */
  video = document.createElement('video');
  #peer = new RTCPeerConnection();
  #took_s = 0;
  #n = 0;

  /** @param {(video: HTMLVideoElement) => void} draw called with every picture */
  constructor(draw) {
    const { video } = this, stream = new MediaStream();
    Object.assign(video, { playsInline: true, srcObject: stream });
    this.#peer.ontrack = ({ track }) => {
      stream.addTrack(track);
      video.play().catch(() => { // before a click, without sound
        video.muted = true;
        return video.play();
      });
    };
    const next = () => {
      draw(video);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }

  /** @param {string[]} kinds video, audio @returns {Promise<string>} SDP with all addresses in it */
  async offer(kinds) {
    const peer = this.#peer;
    for (const kind of kinds) peer.addTransceiver(kind, { direction: 'recvonly' });
    const gathered = new Promise((resolve) => {
      setTimeout(resolve, GATHERED_MS);
      peer.onicecandidate = ({ candidate }) => candidate ?? resolve(null);
    });
    await peer.setLocalDescription();
    await gathered;
    return /** @type {RTCSessionDescription} */ (peer.localDescription).sdp;
  }

  /** @param {string} sdp */
  async answer(sdp) {
    await this.#peer.setRemoteDescription({ type: 'answer', sdp });
  }

  /** From a picture's first packet until it was decoded, since the last look. */
  async took_ms() {
    let ms = 0;
    for (const { type, kind, totalProcessingDelay: took_s = 0, framesDecoded: n } of (await this.#peer.getStats()).values()) {
      if (type !== 'inbound-rtp' || kind !== 'video') continue;
      if (n > this.#n) ms = 1000 * (took_s - this.#took_s) / (n - this.#n);
      [this.#took_s, this.#n] = [took_s, n];
    }
    return ms;
  }

  close() {
    this.#peer.close();
    this.video.srcObject = null;
  }
}
