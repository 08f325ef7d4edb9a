import { beforeEach, describe, expect, it, vi } from "vitest";
import { forgetView, savedViews, saveView } from "./saved";

describe("saved views", () => {
  beforeEach(() => {
    const kept = new Map<string, string>();
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => kept.get(name) ?? null,
      setItem: (name: string, value: string) => kept.set(name, value),
      removeItem: (name: string) => kept.delete(name),
    });
  });

  it("are kept by name, the newest first", () => {
    saveView({ name: "errors", search: "?q=has%3Aerror" });
    saveView({ name: "coder", search: "?q=agent%3Acoder" });
    saveView({ name: "errors", search: "?q=is%3Aerror" });
    expect(savedViews()).toEqual([
      { name: "errors", search: "?q=is%3Aerror" },
      { name: "coder", search: "?q=agent%3Acoder" },
    ]);
    forgetView("errors");
    expect(savedViews().map((view) => view.name)).toEqual(["coder"]);
  });

  it("outlive rubbish in the store, and take none", () => {
    localStorage.setItem("laneway.views", '[{"name": 1}, {"name": "a", "search": "?x"}, null, 7]');
    expect(savedViews().map((view) => view.name)).toEqual(["a"]);
    localStorage.setItem("laneway.views", "{");
    expect(savedViews()).toEqual([]);
    saveView({ name: " ", search: "" });
    expect(savedViews()).toEqual([]);
  });

  it("are none where the browser keeps nothing", () => {
    vi.stubGlobal("localStorage", undefined);
    saveView({ name: "a", search: "" });
    expect(savedViews()).toEqual([]);
  });
});
