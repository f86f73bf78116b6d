// How fast it goes, and how much is left.
const PACE_OVER = 20; // decisions

export class Pace {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.times = []; // of the last decisions, ms
  }

  note() {
    this.times.push(this.now());
    if (this.times.length > PACE_OVER) this.times.shift();
  }

  // Decisions a minute; 0 while there are too few to tell.
  get perMinute() {
    const minutes = this.times.length > 3 ? (this.times[this.times.length - 1] - this.times[0]) / 60_000 : 0;
    return minutes ? (this.times.length - 1) / minutes : 0;
  }
}

// E.g. "30 a minute, about 4 min to go"; "" while the pace is unknown.
export function paceInWords(perMinute, left) {
  return perMinute && left > 0 ? `${Math.round(perMinute)} a minute, about ${durationInWords((left / perMinute) * 60)} to go` : '';
}

export function durationInWords(seconds) { return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`; }

// Percent of the work that is done.
export function percentDone(decided, left) { return decided + left > 0 ? (100 * decided) / (decided + left) : 0; }

// A count with separators, e.g. 20,000.
export function inDigits(count) { return count.toLocaleString('en'); }
