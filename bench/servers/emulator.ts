// The emulator in a process of its own, which remembers every run of a bench.
import { startEmulator } from "../../src/emulator/server.ts";

await startEmulator({ port: Number(process.env.PORT), endedKept: 1_000_000 });
process.once("SIGTERM", () => process.exit(0));
