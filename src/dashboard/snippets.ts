// Programs to copy: a first job, and a job for the terminal and for code.
import { serviceUrl } from "./api.ts";

const code = "print(6 * 7)";

export const firstJob: Record<string, string> = {
  curl: `curl -H "Authorization: Bearer $PROCTOR_API_KEY" -H "Content-Type: application/json" \\
  -d '{"name": "first steps", "runs": [{"kind": "python", "code": "${code}"}]}' \\
  ${serviceUrl}/v1/jobs`,
  CLI: `echo '${code}' > first.py
PROCTOR_URL=${serviceUrl} npx proctor submit --wait first.py`,
  TypeScript: `import { createClient } from "proctor/client";

const proctor = createClient({ url: "${serviceUrl}", apiKey: process.env.PROCTOR_API_KEY });
const job = await proctor.submit({ name: "first steps", runs: [{ kind: "python", code: "${code}" }] });
console.log(await proctor.wait(job.id));`,
  Python: `from proctor_client import Client

proctor = Client("${serviceUrl}")  # the key from PROCTOR_API_KEY
job = proctor.submit({"name": "first steps", "runs": [{"kind": "python", "code": "${code}"}]})
print(proctor.wait(job["id"])["status"])`,
};

/** By language: how a program waits for the job. */
export const jobIn: Record<string, (jobId: string) => string> = {
  curl: (id) => `curl -H "Authorization: Bearer $PROCTOR_API_KEY" "${serviceUrl}/v1/jobs/${id}?wait=30s"`,
  CLI: (id) => `PROCTOR_URL=${serviceUrl} npx proctor wait ${id}`,
  TypeScript: (id) => `import { createClient } from "proctor/client";

const proctor = createClient({ url: "${serviceUrl}", apiKey: process.env.PROCTOR_API_KEY });
const job = await proctor.wait("${id}");`,
  Python: (id) => `from proctor_client import Client

proctor = Client("${serviceUrl}")  # the key from PROCTOR_API_KEY
job = proctor.wait("${id}")`,
};
