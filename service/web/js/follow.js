/** The events of a solve as they happen; a stream that breaks goes on behind the last event. */

import { Problem, send } from "./api.js";
import { EventParser } from "./sse.js";

const PAUSES_MS = [500, 1000, 2000, 5000, 10_000];
const SLICE_MS = 6;

/**
 * Hand on batches of events until the solve's result has come, which is returned.
 *
 * `onState` is told `live` and `reconnecting`. A fetch and no EventSource, since that one sends no
 * key. Raises Problem where the service refuses, and AbortError.
 */
export async function follow(id, { after = 0, onEvents, onState = () => {}, signal }) {
  let failures = 0;
  for (;;) {
    try {
      const reply = await send(`/solve/${encodeURIComponent(id)}/events`, {
        headers: after ? { "Last-Event-ID": String(after) } : {}, signal,
      });
      onState("live");
      const reader = reply.body.getReader();
      const parser = new EventParser();
      let since = performance.now();
      for (;;) {
        // A long history comes as fast as it is read, and would leave no time to draw.
        if (performance.now() - since > SLICE_MS) {
          await frame();
          since = performance.now();
        }
        const { done, value } = await reader.read();
        if (done) break;
        const batch = [];
        let result = null;
        for (const frame of parser.push(value)) {
          const data = JSON.parse(frame.data);
          if (frame.event === "result") result = data;
          else {
            batch.push(data);
            after = data.seq ?? after;
          }
        }
        if (batch.length) {
          failures = 0;
          onEvents(batch);
        }
        if (result) return result;
      }
    } catch (error) {
      if (error.name === "AbortError") throw error;
      const passes = error.code === "unreachable" || error.status >= 500;
      if (error instanceof Problem && !passes) throw error;
    }
    onState("reconnecting");
    await pause(PAUSES_MS[Math.min(failures++, PAUSES_MS.length - 1)], signal);
  }
}

/** The next frame; a page that is not shown has none, and goes on after a moment. */
function frame() {
  return new Promise((resolve) => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, 100);
  });
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("no longer followed", "AbortError"));
    }, { once: true });
  });
}
