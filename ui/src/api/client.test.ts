import { afterEach, expect, test, vi } from "vitest";
import { checkAccess, fetchEvent, onSessionEnd, sendJson } from "./client";

afterEach(() => vi.unstubAllGlobals());

function breakOff(times: number): ReturnType<typeof vi.fn> {
  let left = times;
  const fetch = vi.fn(async () => {
    if (left-- > 0) throw new TypeError("Failed to fetch");
    return new Response('{"id": "a"}');
  });
  vi.stubGlobal("fetch", fetch);
  return fetch;
}

test("a question that the browser broke off is asked once more", async () => {
  const fetch = breakOff(1);
  expect(await fetchEvent("a")).toEqual({ id: "a" });
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("a hub that does not answer twice is told", async () => {
  const fetch = breakOff(9);
  await expect(fetchEvent("a")).rejects.toThrow("The hub does not answer.");
  expect(fetch).toHaveBeenCalledTimes(2);
});

test("what changes something is sent once", async () => {
  const fetch = breakOff(9);
  await expect(sendJson("DELETE", "/api/alerts/a")).rejects.toThrow("The hub does not answer.");
  expect(fetch).toHaveBeenCalledTimes(1);
});

test("an answer that the session ended is told to the page, once it is asked for something", async () => {
  let ended = 0;
  onSessionEnd(() => ended++);
  vi.stubGlobal("fetch", async () => new Response('{"message": "no"}', { status: 401 }));
  expect(await checkAccess()).toBe("out"); // a question of its own
  expect(ended).toBe(0);
  await expect(fetchEvent("a")).rejects.toThrow("no");
  expect(ended).toBe(1);
});
