// Laneway's plugin for OpenCode: everything that it is told goes to a process of Laneway, which records it.
// Written by `laneway connect opencode`; `laneway connect opencode --remove` takes it away.
import { spawn } from "node:child_process";

const COMMAND = ["COMMAND"];
const WANTED = /^(session\.(created|updated|deleted|error)|message\.(updated|part\.updated)|permission\.)/;

export const Laneway = async () => {
  let child;
  const stop = () => (child = null);
  try {
    child = spawn(COMMAND[0], COMMAND.slice(1), { stdio: ["pipe", "ignore", "ignore"], env: { ...process.env, ENVIRONMENT: "" } });
    child.on("error", stop).on("exit", stop);
    child.stdin.on("error", stop);
    child.unref();
  } catch {
    stop();
  }
  return {
    event: async ({ event }) => {
      try {
        if (WANTED.test(event.type)) child?.stdin.write(JSON.stringify({ at: Date.now(), event }) + "\n");
      } catch {
        stop();
      }
    },
  };
};
