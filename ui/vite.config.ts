/// <reference types="vitest/config" />
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

// The hub (or `npm run hub`, the mock) that `npm run dev` forwards to.
const HUB = process.env.LANEWAY_DEV_HUB ?? "http://127.0.0.1:8010";

export default defineConfig({
  base: "/logs/", // the hub serves the page at /logs and its files at /logs/assets/
  plugins: [svelte()],
  build: {
    outDir: process.env.LANEWAY_UI_OUT ?? "../src/laneway/web/_ui",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      "/logs/ws": { target: HUB, ws: true },
      "/api": HUB,
      "/auth": HUB,
    },
  },
  test: {
    include: ["src/**/*.test.ts", "tools/**/*.test.ts"],
    environment: "node",
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
