import { expect, test } from "vitest";
import { TypedAhead } from "./typed_ahead";

function press(target: EventTarget, key: string, more: object = {}): boolean {
  const event = Object.assign(new Event("keydown", { cancelable: true }), { key, ...more });
  target.dispatchEvent(event);
  return event.defaultPrevented;
}

test("keys are kept until whom they are meant for is there, and no longer", () => {
  const target = new EventTarget();
  const ahead = new TypedAhead(target, () => undefined);
  for (const key of ["p", "l", "x", "Backspace", "ä", "Shift"]) press(target, key);
  expect(press(target, "c", { ctrlKey: true })).toBe(false);
  expect(press(target, "Enter")).toBe(true);
  press(target, "late");
  expect(ahead.end()).toEqual({ text: "plä", isEntered: true });
  expect(press(target, "z")).toBe(false);
  expect(ahead.end().text).toBe("plä");
});

test("Escape calls it off", () => {
  const target = new EventTarget();
  let calls = 0;
  new TypedAhead(target, () => calls++);
  press(target, "Escape");
  expect(calls).toBe(1);
});
