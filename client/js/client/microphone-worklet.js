/** The first channel as 16-bit PCM, in pieces, each with the time of its first sample. */

const PIECE_S = 0.01;

class Microphone extends AudioWorkletProcessor {
  #piece = new Int16Array(Math.round(sampleRate * PIECE_S));
  #filled = 0;
  #began = 0;

  process([[channel]]) {
    if (!channel) return true;
    for (let i = 0; i < channel.length; i++) {
      if (this.#filled === 0) this.#began = currentTime + i / sampleRate;
      this.#piece[this.#filled++] = Math.max(-32768, Math.min(32767, Math.round(channel[i] * 32768)));
      if (this.#filled === this.#piece.length) {
        this.port.postMessage({ samples: this.#piece.slice(), time: this.#began });
        this.#filled = 0;
      }
    }
    return true;
  }
}

registerProcessor('vivant-microphone', Microphone);
