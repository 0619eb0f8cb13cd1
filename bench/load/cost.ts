// The server's processor time per answer, which is far less noisy than speed on shared cores.
import { processorSeconds, type Running } from "../service.ts";
import { closedLoop, type Load, type Measured } from "./loop.ts";

type Costed = Measured & { processorUs: number };

/** Adds to `closedLoop` the processor time of the server's process, all threads, per answer. */
export async function loadOn(
  { port, pid }: Running,
  load: Omit<Load, "port"> & { connections: number },
): Promise<Costed> {
  const before = processorSeconds(pid);
  const measured = await closedLoop({ port, ...load });
  return { ...measured, processorUs: ((processorSeconds(pid) - before) * 1e6) / measured.answers };
}
