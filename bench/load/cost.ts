// The server's processor time per answer, which is far less noisy than speed on shared cores.
import { processorSeconds, type Running } from "../service.ts";
import { closedLoop, type Load, type Measured } from "./loop.ts";

type Costed = Measured & { processorUs: number };

/** Adds to a loop the processor time of the server's process, all threads, per answer. */
export async function loadOn(
  { port, pid }: Running,
  load: Omit<Load, "port"> & { connections: number },
  loop = closedLoop,
): Promise<Costed> {
  let before = 0;
  const onStart = () => {
    before = processorSeconds(pid);
  };
  const measured = await loop({ port, onStart, ...load });
  return { ...measured, processorUs: ((processorSeconds(pid) - before) * 1e6) / measured.answers };
}
