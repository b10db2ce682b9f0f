// How loud a source is, and since when nothing is heard of it.

// Of a full scale of 1: what a microphone that is switched off gives, and no room does
const SILENT = 0.001;
// A microphone that is too loud reaches the end of its scale again and again
const CLIPPED = 0.99;

export class Meter {
  /** @param {AudioNode} node */
  constructor(node) {
    this.analyser = node.context.createAnalyser();
    node.connect(this.analyser);
    this.samples = new Float32Array(this.analyser.fftSize);
    /** From 0 to 1. */
    this.level = 0;
    this.hasSound = false;
    /** Looks in the last ten seconds, about, that found it too loud. */
    this.clipped = 0;
    this.heardAt = performance.now();
  }

  /** To be called ten times a second. @param {boolean} isPaused nobody is expected to speak */
  look(isPaused) {
    this.analyser.getFloatTimeDomainData(this.samples);
    this.level = this.samples.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const isHeard = this.level > SILENT;
    if (isHeard) this.hasSound = true;
    if (isHeard || isPaused) this.heardAt = performance.now();
    this.clipped = this.level >= CLIPPED ? this.clipped + 1 : this.clipped * 0.99;
  }

  get quietSeconds() {
    return (performance.now() - this.heardAt) / 1000;
  }
}
