/** A MediaStream as pieces of PCM. */

export class Microphone {
  /** @type {MediaStreamAudioSourceNode | undefined} */
  #source;
  /** @type {AudioWorkletNode | undefined} */
  #node;

  /** @param {AudioContext} context @param {MediaStream} stream @param {boolean} own whether its tracks end with `close` */
  constructor(context, stream, own) {
    this.context = context;
    this.stream = stream;
    this.own = own;
  }

  /** @param {(samples: Int16Array, captured_ms: number) => void} take with `performance.now` of the first sample */
  async open(take) {
    await this.context.audioWorklet.addModule(new URL('./microphone-worklet.js', import.meta.url));
    await this.context.resume();
    this.#source = this.context.createMediaStreamSource(this.stream);
    this.#node = new AudioWorkletNode(this.context, 'vivant-microphone', { numberOfOutputs: 0 });
    this.#node.port.onmessage = ({ data }) => {
      take(data.samples, performance.now() - 1000 * (this.context.currentTime - data.time));
    };
    this.#source.connect(this.#node);
  }

  close() {
    this.#source?.disconnect();
    this.#node?.port.close();
    if (this.own) for (const track of this.stream.getTracks()) track.stop();
  }
}
