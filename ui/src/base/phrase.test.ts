import { describe, expect, it } from "vitest";
import { phraseOf } from "./phrase";

describe("the phrase that finds a failure again", () => {
  it("is the longest run of words in which nothing changes", () => {
    expect(phraseOf("run_tests took longer than # s")).toBe("run_tests took longer than");
    expect(phraseOf("Client error '# Too Many Requests' for url 'http://#/v#'")).toBe(
      "Too Many Requests' for url",
    );
    expect(phraseOf("database is locked")).toBe("database is locked");
    expect(phraseOf("#")).toBe("");
  });
});
