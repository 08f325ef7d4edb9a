import { expect, it } from "vitest";
import { curlOf, fieldOf } from "./field";

it("asks for a value by the field that the query language has for its place", () => {
  expect(fieldOf("session_id")).toBe("session");
  expect(fieldOf("tool")).toBe("tool");
  expect(fieldOf("input.path")).toBe("input.path");
  expect(fieldOf("output.matches[3].line")).toBe("output.matches.line");
  expect(fieldOf("http.status")).toBe("attr.http.status");
  expect(fieldOf('tags["a b"]')).toBe('attr.tags."a b"');
  expect(fieldOf("customer")).toBe("attr.customer");
  expect(fieldOf("start.error.type")).toBe("error.type");
  expect(fieldOf("timestamp")).toBe("");
  expect(fieldOf("[0]")).toBe("");
});

it("names no secret in a command to copy", () => {
  expect(curlOf("http://127.0.0.1:8001", "@42")).toBe(
    `curl -H "Authorization: Bearer $LANEWAY_TOKEN" 'http://127.0.0.1:8001/api/events/%4042'`,
  );
});
